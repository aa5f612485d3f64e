"""Settings: from a file, the environment or a flag, each within its range."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from kg import settings
from kg.errors import BadSetting, KgError, MalformedSettings
from kg.settings import Settings


def test_a_flag_is_stronger_than_the_environment() -> None:
    assert Settings.read({"KG_DEADLINE": "10"}, deadline=None).deadline == 10.0
    assert Settings.read({"KG_DEADLINE": "10"}, deadline=5).deadline == 5.0


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e300", "0", "-1", "soon", ""])
@pytest.mark.parametrize("name", ["deadline", "queue_seconds"])
def test_seconds_are_above_zero_and_finite(name: str, value: str) -> None:
    variable = f"KG_{name.upper()}"
    with pytest.raises(BadSetting, match=f"{variable} is '{value}'"):
        Settings.read({variable: value})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300, 0.0, -1.0])
def test_a_flag_is_checked_like_the_environment(value: float) -> None:
    with pytest.raises(BadSetting, match="deadline is"):
        Settings.read({}, deadline=value)


def test_a_worker_has_at_least_256_mib() -> None:
    least = 256 * 1024 * 1024
    assert Settings.read({"KG_WORKER_MEMORY": str(least)}).worker_memory == least
    with pytest.raises(BadSetting, match="KG_WORKER_MEMORY"):
        Settings.read({"KG_WORKER_MEMORY": str(least - 1)})


def test_every_setting_is_described_with_its_default() -> None:
    described = Settings.described()
    assert len(described) == len(fields(Settings))
    assert described["KG_DEADLINE"].endswith("By default 30.")


# --- kg.toml ------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of settings in the working folder, which is not there yet."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "kg.toml"


def origins(environ: dict[str, str], **flags: object) -> dict[str, tuple[object, str]]:
    return {each.name: (each.value(), each.origin) for each in settings.given(environ, **flags)}


def test_the_file_is_stronger_than_the_default_and_weaker_than_all_else(file: Path) -> None:
    file.write_text("# here\ndeadline = 7\nworkers = 3\n\nnesting = 50\n")
    found = origins({"KG_WORKERS": "4", "KG_NESTING": "60"}, nesting=70)
    assert found["deadline"] == (7.0, "kg.toml:2")
    assert found["workers"] == (4, "KG_WORKERS")
    assert found["nesting"] == (70, "flag")
    assert found["queue_length"] == (64, "default")
    assert Settings.read({"KG_WORKERS": "4"}).deadline == 7.0


def test_another_file_may_be_named(file: Path, tmp_path: Path) -> None:
    file.write_text("deadline = 7\n")
    other = tmp_path / "other.toml"
    other.write_text("deadline = 8\n")
    assert Settings.read({"KG_CONFIG": str(other)}).deadline == 8.0
    with pytest.raises(BadSetting, match=r"KG_CONFIG is 'none\.toml'"):
        Settings.read({"KG_CONFIG": "none.toml"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("workers = 1\ndeadlne = 7\n", "kg.toml:2: there is no setting 'deadlne'\n  Did you mean"),
        ("[server]\ndeadline = 7\n", "kg.toml:1: there is no setting 'server'\n  Those that"),
        ("deadline = soon\n", "kg.toml:1:12: this is not TOML: Invalid value"),
        ("\ndeadline = 'soon'\n", "kg.toml:2: deadline is 'soon'\n  Give it a number above zero"),
        ("workers = 1.5\n", "kg.toml:1: workers is '1.5'"),
        ("workers = [2]\n", "kg.toml:1: workers is '[2]'"),
        ("keep_days = -1\n", "kg.toml:1: keep_days is '-1'\n  Give it a number from 0"),
        ("log_format = 'xml'\n", "kg.toml:1: log_format is 'xml'\n  Give it one of line, json"),
    ],
)
def test_a_file_that_is_wrong_is_told_with_its_place(file: Path, text: str, message: str) -> None:
    file.write_text(text)
    with pytest.raises(KgError) as caught:
        Settings.read({})
    assert str(caught.value).startswith(message)
    assert caught.value.exit_code == 2


def test_a_file_that_is_no_text_is_told(file: Path) -> None:
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(MalformedSettings, match="not UTF-8"):
        Settings.read({})


def test_every_kind_of_value_is_read_from_a_file(file: Path) -> None:
    file.write_text('plain = true\nlog_level = "DEBUG"\ntrusted_proxies = ["10.1.0.0/16", "::1"]\n')
    read = Settings.read({})
    assert (read.plain, read.log_level, read.trusted_proxies) == (
        True,
        "debug",
        "10.1.0.0/16,::1/128",
    )


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://data.example.org/kg", "https://data.example.org/kg/"),
        ("HTTP://Data.Example.org:8080", "http://data.example.org:8080/"),
        ("http://[::1]/a/b/", "http://[::1]/a/b/"),
        ("", ""),
    ],
)
def test_the_public_url_ends_in_a_slash(given: str, kept: str) -> None:
    assert Settings.read({"KG_PUBLIC_URL": given}).public_url == kept


@pytest.mark.parametrize(
    "url",
    [
        "data.example.org",
        "ftp://a/",
        "https:///kg/",
        "https://a@b/",
        "https://a/?q=1",
        "https://a/?",
        "https://a/#x",
        "https://a:port/",
        "https://a b/",
        "https://a/%2e/",
        "https://a//b/",
        "https://ä/",
    ],
)
def test_what_is_no_url_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(BadSetting, match="KG_PUBLIC_URL"):
        Settings.read({"KG_PUBLIC_URL": url})


@pytest.mark.parametrize("networks", ["here", "10.0.0.1/8", "10.0.0.0/33", "1.2.3.4 5.6.7.8"])
def test_what_is_no_network_is_refused(networks: str) -> None:
    with pytest.raises(BadSetting, match="KG_TRUSTED_PROXIES"):
        Settings.read({"KG_TRUSTED_PROXIES": networks})


@pytest.mark.parametrize("name", ["keep_releases", "keep_days", "port"])
def test_a_setting_that_may_be_zero_is_so_by_its_own_word(name: str) -> None:
    assert getattr(Settings.read({f"KG_{name.upper()}": "0"}), name) == 0


def test_a_port_is_one() -> None:
    with pytest.raises(BadSetting, match="KG_PORT is '65536'"):
        Settings.read({"KG_PORT": "65536"})
