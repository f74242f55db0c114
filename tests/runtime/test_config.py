"""Settings: one table, typed refusals, no secret shown."""

import stat
from pathlib import Path

import msgspec
import pytest

from roomserver.runtime import config, keys
from roomserver.runtime.config import Config, ConfigError, SigningKey

SECRET = "s3cret-" + "x" * 32


def test_every_field_is_a_row_of_the_table_and_every_row_a_field() -> None:
    fields = {field.name for field in msgspec.structs.fields(Config)}
    assert fields == {setting.name for setting in config.SETTINGS}


def test_an_empty_environment_gives_the_documented_defaults(tmp_path: Path) -> None:
    loaded = config.load({"XDG_DATA_HOME": str(tmp_path)})
    assert (loaded.host, loaded.port, loaded.data_dir) == ("127.0.0.1", 8000, tmp_path / "unisono")
    assert loaded.database_url is None and loaded.redis_url is None and not loaded.demo
    assert loaded.upload_max_bytes == 200 * 2**20 and loaded.quota_bytes == 2 * 2**30
    assert loaded.upload_max_duration_ms == 4 * 60 * 60 * 1000


def test_a_relative_xdg_folder_is_ignored() -> None:
    assert config.load({"XDG_DATA_HOME": "here"}).data_dir == Path.home() / ".local/share/unisono"


def test_an_override_beats_the_environment_and_none_means_not_given(tmp_path: Path) -> None:
    environ = {"UNISONO_PORT": "9000", "UNISONO_HOST": "::1", "UNISONO_DEMO": "yes"}
    loaded = config.load(environ, port=0, host=None, data_dir=tmp_path / "a b")
    assert (loaded.port, loaded.host, loaded.demo) == (0, "::1", True)
    assert loaded.storage_url.endswith("/a%20b/media")


def test_an_override_that_is_no_setting_is_a_programming_error() -> None:
    with pytest.raises(TypeError, match="colour"):
        config.load({}, colour="red")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("UNISONO_PORT", "http"),
        ("UNISONO_PORT", "65536"),
        ("UNISONO_PORT", "9" * 5_000),
        ("UNISONO_HOST", "http://a/"),
        ("UNISONO_LIMITS_FACTOR", "nan"),
        ("UNISONO_LIMITS_FACTOR", "-1"),
        ("UNISONO_LIMITS_FACTOR", "many"),
        ("UNISONO_DEMO", "perhaps"),
        ("UNISONO_LOG_LEVEL", "loud"),
        ("UNISONO_METRICS_PORT", "0"),
        ("UNISONO_PUBLIC_URL", "music.example.org"),
        ("UNISONO_PUBLIC_URL", "https://music.example.org/room"),
        ("UNISONO_PUBLIC_URL", "https://[music"),
        ("UNISONO_TRUSTED_PROXIES", "10.0.0.0/8, proxy"),
        ("UNISONO_QUOTA_BYTES", "2GiB"),
        ("UNISONO_SIGNING_KEYS", "nocolon"),
        ("UNISONO_SIGNING_KEYS", f"a:{SECRET},a:{SECRET}"),
        ("DATABASE_URL", "mysql://db"),
        ("REDIS_URL", "http://redis"),
        ("REDIS_URL", f"redis://:{SECRET}/1@redis:6379"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_variable(variable: str, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load({variable: value})
    assert caught.value.variable == variable
    assert str(caught.value).startswith(f"{variable}: ") and caught.value.reason
    assert SECRET not in caught.value.reason


def test_a_refused_url_is_not_repeated_for_it_may_hold_a_password() -> None:
    with pytest.raises(ConfigError) as caught:
        config.load({"DATABASE_URL": f"mysql://user:{SECRET}@db"})
    assert SECRET not in str(caught.value)


def test_the_public_url_is_reduced_to_scheme_and_host() -> None:
    loaded = config.load({"UNISONO_PUBLIC_URL": "https://Music.Example.org/"})
    assert loaded.public_url == "https://music.example.org" and loaded.is_https
    assert not config.load({"UNISONO_PUBLIC_URL": "http://10.0.0.1:8000"}).is_https


def test_h4_neither_repr_nor_table_shows_a_secret() -> None:
    loaded = config.load(
        {
            "DATABASE_URL": f"postgresql://user:{SECRET}@db/unisono?password={SECRET}",
            "REDIS_URL": f"redis://:{SECRET}@redis:6379/0",
            "UNISONO_SIGNING_KEYS": f"k1:{SECRET}",
        }
    )
    for shown in (repr(loaded), str(loaded), config.table(loaded), repr(loaded.signing_keys)):
        assert SECRET not in shown
    assert "postgresql://user:***@db/unisono" in config.table(loaded)


def test_the_table_tells_each_variable_once() -> None:
    lines = config.table(config.load({})).splitlines()
    assert [line.split()[0] for line in lines] == [s.variable for s in config.SETTINGS]


def test_h4_keys_are_made_on_first_start_with_mode_0600_and_found_again(tmp_path: Path) -> None:
    loaded = config.load({}, data_dir=tmp_path / "new" / "folder")
    made = keys.signing_keys(loaded)
    file = loaded.data_dir / keys.FILE_NAME
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(made) == 1 and len(made[0].secret) >= 32
    assert keys.signing_keys(loaded) == made
    assert [path.name for path in loaded.data_dir.iterdir()] == [keys.FILE_NAME]


def test_keys_given_in_the_settings_leave_the_data_folder_alone(tmp_path: Path) -> None:
    loaded = config.load({"UNISONO_SIGNING_KEYS": f"k1:{SECRET}"}, data_dir=tmp_path / "data")
    assert keys.signing_keys(loaded) == (SigningKey("k1", SECRET.encode()),)
    assert not loaded.data_dir.exists()


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'[{"kid":"a","secret":"c2hvcnQ="}]'])
def test_an_unusable_key_file_is_refused_by_its_path(tmp_path: Path, content: bytes) -> None:
    (tmp_path / keys.FILE_NAME).write_bytes(content)
    with pytest.raises(ConfigError, match=keys.FILE_NAME):
        keys.signing_keys(config.load({}, data_dir=tmp_path))


def test_j4_a_signing_secret_below_32_bytes_is_refused_at_boot() -> None:
    with pytest.raises(ConfigError, match="shorter than 32 bytes"):
        config.load({"UNISONO_SIGNING_KEYS": "k1:" + "x" * 31})
    assert config.load({"UNISONO_SIGNING_KEYS": "k1:" + "x" * 32}).signing_keys
