"""No release of a dependency with a known hole may be installed beside us, nor anything unnamed."""

import re
import tomllib
from importlib.metadata import requires, version
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[2]
SAFE_FROM: Final = {
    # Request smuggling, unbounded decompression and header memory.
    "aiohttp": "3.13.3",
    # CVE-2026-114617.
    "authlib": "1.9",
    # Out-of-bounds writes when reading DDS and PSD.
    "pillow": "12.1.1",
}
"""The first release without the holes that we know of."""


def declared() -> dict[str, Requirement]:
    """What pyproject.toml asks for at run time."""
    lines = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    return {canonicalize_name(each.name): each for each in map(Requirement, lines)}


def locked() -> dict[str, list[tuple[Requirement, list[str]]]]:
    """What requirements.lock names: each release with the hashes of its files."""
    found: dict[str, list[tuple[Requirement, list[str]]]] = {}
    text = (ROOT / "requirements.lock").read_text().replace("\\\n", "")
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            named, *hashes = re.split(r"\s+--hash=", line.strip())
            release = Requirement(named)
            found.setdefault(canonicalize_name(release.name), []).append((release, hashes))
    return found


def needed(name: str, extras: frozenset[str] = frozenset()) -> set[str]:
    """What a distribution pulls in, as those that are installed here say."""
    out = set()
    for each in map(Requirement, requires(name) or ()):
        environments = [{"extra": extra} for extra in extras or {""}]
        if each.marker is None or any(map(each.marker.evaluate, environments)):
            out |= {canonicalize_name(each.name), *needed(each.name, frozenset(each.extras))}
    return out


@pytest.mark.parametrize("name", SAFE_FROM)
def test_h5_what_we_declare_and_what_is_installed_has_no_known_hole(name: str) -> None:
    # The safe release satisfies what we declare, and nothing older does.
    (least,) = [s.version for s in declared()[name].specifier if s.operator == ">="]
    safe = Requirement(f"{name}>={SAFE_FROM[name]}").specifier
    assert least in safe and version(name) in safe
    assert all(pin.version in safe for release, _ in locked()[name] for pin in release.specifier)


def test_h5_the_image_installs_only_releases_that_are_named_with_their_hashes() -> None:
    locks = locked()
    for releases in locks.values():
        for release, hashes in releases:
            (pin,) = release.specifier
            assert pin.operator == "=="
            assert hashes and all(re.fullmatch("sha256:[0-9a-f]{64}", each) for each in hashes)
    for name, asked in declared().items():
        for release, _ in locks[name]:
            (pin,) = release.specifier
            assert pin.version in asked.specifier, f"`make lock` is due: {name}"
    # What these pull in is named, too: with `--require-hashes` pip would refuse to install them.
    assert needed("unisono") <= locks.keys()
    image = (ROOT / "Dockerfile").read_text()
    assert "--require-hashes -r requirements.lock" in image
    assert "--no-deps --no-build-isolation ." in image
