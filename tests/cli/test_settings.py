"""`kg settings`, and the settings that `kg serve` takes as flags."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kg.cli.main import main
from kg.cli.serve import serve
from kg.settings import Settings


@pytest.fixture(autouse=True)
def _file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kg.toml").write_text('\ndeadline = 7\nlog_format = "json"\n')
    monkeypatch.setenv("KG_LOG_FORMAT", "line")
    monkeypatch.setenv("KG_PLAIN", "0")


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == code, result.output
    return result


def test_every_setting_is_shown_with_its_value_and_origin() -> None:
    shown = json.loads(run("settings", "--format", "json").stdout)
    assert [each["name"] for each in shown] == [each.name for each in fields(Settings)]
    by_name = {each["name"]: (each["value"], each["origin"]) for each in shown}
    assert by_name["deadline"] == (7.0, "kg.toml:2")
    assert by_name["log_format"] == ("line", "KG_LOG_FORMAT")
    assert by_name["plain"] == (False, "KG_PLAIN")
    assert by_name["workers"] == (2, "default")


def test_a_table_of_settings_is_for_people() -> None:
    lines = [line.split() for line in run("settings").stdout.splitlines()]
    assert ["deadline", "7.0", "kg.toml:2"] in lines
    assert ["public_url", "default"] in lines


def test_a_file_that_is_wrong_ends_the_command_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "kg.toml").write_text("workers = 2\ndeadline = 'x'\n")
    message = run("settings", code=2).stderr
    assert message.startswith("kg.toml:2: error: deadline is 'x'\n    2 | deadline = 'x'\n")


def test_each_flag_of_serve_is_a_setting() -> None:
    flags = {each.name for each in serve.params} - {"store", "help"}
    assert flags <= {each.name for each in fields(Settings)}
    assert flags >= {"host", "port", "workers", "deadline", "public_url", "trusted_proxies"}
    assert flags >= {"log_format", "log_level"}


@pytest.mark.parametrize(
    ("flag", "value", "said"),
    [
        ("--workers", "0", "workers is '0'"),
        ("--port", "70000", "port is '70000'"),
        ("--public-url", "here", "public_url is 'here'"),
        ("--trusted-proxies", "all", "trusted_proxies is 'all'"),
        ("--log-format", "xml", "log_format is 'xml'"),
        ("--log-level", "loud", "log_level is 'loud'"),
    ],
)
def test_a_flag_of_serve_is_checked_as_the_setting_is(flag: str, value: str, said: str) -> None:
    assert said in run("serve", flag, value, code=2).stderr
