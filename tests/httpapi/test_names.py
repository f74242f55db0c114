"""R7: what people may call themselves."""

import pytest

from protocol import names
from protocol.errors import Rejected
from tests.httpapi.site import Site


def clean(text: str) -> str:
    return names.clean(text, what="display_name", max_length=40)


@pytest.mark.parametrize(
    "text",
    [
        "a\tb",
        "a\nb",
        "\x7f",
        "a\u202eb",
        "\u2066a",
        "a\u200fb",
        "a\u200bb",
        "a\ufeffb",
        "   ",
        "\u3164",
        "\u2800\u2800",
        "\u200d",
        "ad\u200dmin",
        "a" + "\u0301" * 500,
        "a\u2028b",
        "a" * 41,
    ],
)
def test_r7_a_name_that_hides_or_disturbs_is_refused(text: str) -> None:
    with pytest.raises(Rejected):
        clean(text)


@pytest.mark.parametrize(
    "text",
    ["Ann", "نیما", "می\u200cخواهم", "👩\u200d💻 Dev", "Ὀδυσσεύς", "한국어", "Zoë"],  # noqa: RUF001
)
def test_r7_names_of_all_scripts_are_kept(text: str) -> None:
    assert clean(text) == text


def test_names_are_kept_in_nfc_and_trimmed() -> None:
    assert clean("  Zoe\u0308   Q ") == "Zoë Q"


@pytest.mark.parametrize(
    ("one", "other"),
    [("Admin", "\uff21dmin"), ("STRASSE", "straße"), ("ﬁn", "fin"), ("a", "a\u3164")],
)
def test_r7_names_that_fold_together_are_one(one: str, other: str) -> None:
    assert names.key(one) == names.key(other)


async def test_a_look_alike_of_a_taken_user_name_is_taken(site: Site) -> None:
    await site.account("Admin")
    body = {"username": "\uff21dmin", "email": "x@example.org", "password": "correct horse"}
    answer = await site.ask("POST", "/api/auth/register", body)
    assert (answer.status, answer.code) == (409, "name_taken")


async def test_a_user_name_can_be_typed_and_is_no_address(site: Site) -> None:
    body = {"email": "x@example.org", "password": "correct horse"}
    for username in ("ab", "a b c", "a@b", "x" * 31, "   a  "):
        answer = await site.ask("POST", "/api/auth/register", body | {"username": username})
        assert answer.status == 400, username
