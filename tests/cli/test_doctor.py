"""`kg doctor`: what it finds, and its exit code."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from kg.cli import checks
from kg.cli import doctor as module
from kg.cli.main import main
from kg.store.confinement import Isolation
from kg.store.probe import Confinement
from kg_server import environment


def checked(store: Path, code: int) -> dict[str, dict[str, str]]:
    ran = CliRunner().invoke(main, ["doctor", "--store", str(store), "--format", "json"])
    assert ran.exit_code == code
    return {check["name"]: check for check in json.loads(ran.stdout)}


def test_a_store_that_works_is_said_to(real_store: Path) -> None:
    checks = checked(real_store, 0)
    assert list(checks) == [
        "settings",
        "network",
        "landlock",
        "memory",
        "store",
        "leftovers",
        "hard links",
        "locks",
        "store disk",
        "clock",
        "temporary files",
        "temporary disk",
        "open files",
        "inotify",
        "versions",
    ]
    machine = {"network", "store disk", "temporary disk", "open files", "inotify"}
    assert {check["verdict"] for name, check in checks.items() if name not in machine} == {"ok"}
    head = (real_store / "HEAD").read_text().strip()
    assert checks["store"]["found"].startswith(f"HEAD is {head}: ")


def test_a_missing_store_is_an_error_and_the_rest_is_told(tmp_path: Path) -> None:
    checks = checked(tmp_path / "none", 1)
    assert checks["store"]["verdict"] == "error"
    assert checks["memory"]["verdict"] == "ok"


@pytest.mark.parametrize(
    ("found", "code", "verdict", "said"),
    [
        (Confinement(Isolation.NAMESPACE, 7, False, True), 0, "ok", "have no network"),
        (Confinement(Isolation.LANDLOCK, 7, False, True), 0, "warning", "UDP"),
        (Confinement(Isolation.NONE, 0, True, True), 0, "warning", "have the network"),
        (Confinement(Isolation.NAMESPACE, 7, True, True), 1, "error", "reached all the same"),
    ],
)
def test_what_keeps_workers_from_the_network_is_told(
    real_store: Path,
    monkeypatch: pytest.MonkeyPatch,
    found: Confinement,
    code: int,
    verdict: str,
    said: str,
) -> None:
    monkeypatch.setattr(module, "probed", lambda _: found)
    network = checked(real_store, code)["network"]
    assert network["verdict"] == verdict
    assert said in network["found"]


def test_a_memory_limit_that_does_not_hold_is_an_error(
    real_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    boundless = Confinement(Isolation.NAMESPACE, 7, False, False)
    monkeypatch.setattr(module, "probed", lambda _: boundless)
    assert checked(real_store, 1)["memory"]["verdict"] == "error"


def test_settings_that_are_not_the_default_are_told_with_their_origin(
    real_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kg.toml").write_text("workers = 3\n")
    monkeypatch.setenv("KG_DEADLINE", "7")
    found = checked(real_store, 0)["settings"]
    assert (found["verdict"], found["found"]) == (
        "ok",
        "workers from kg.toml:1, deadline from KG_DEADLINE",
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("deadline = 0", "kg.toml:1: deadline is '0'; Give it a number above zero"),
        ("dead_line = 5", "kg.toml:1: there is no setting 'dead_line'; Did you mean deadline?"),
        ("dead line", "this is not TOML"),
    ],
)
def test_a_bad_setting_is_an_error_and_the_rest_is_told(
    real_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kg.toml").write_text(f"{line}\n")
    monkeypatch.setenv("KG_WORKERS", "none")
    checks = checked(real_store, 1)
    assert said in checks["settings"]["found"]
    assert checks["store"]["verdict"] == "ok"


def test_what_a_crashed_write_left_is_a_warning_once_it_is_old(built: Path) -> None:
    left = built / "releases" / ".staging-x"
    left.mkdir()
    assert checked(built, 0)["leftovers"]["found"] == "1 of a write that may be under way"
    os.utime(left, (0, 0))
    found = checked(built, 0)["leftovers"]
    assert (found["verdict"], ".staging-x" in found["found"]) == ("warning", True)


def test_deep_makes_digests_anew(built: Path) -> None:
    ran = CliRunner().invoke(main, ["doctor", "--store", str(built), "--deep", "--format", "json"])
    found = {check["name"]: check for check in json.loads(ran.stdout)}["digests"]
    assert (found["verdict"], found["found"]) == ("ok", "those of 1 releases are right")
    (manifest,) = built.glob("releases/*/manifest.json")
    told = json.loads(manifest.read_text())
    told["graphs"][0]["digest"] = "0" * 64
    manifest.write_text(json.dumps(told))
    ran = CliRunner().invoke(main, ["doctor", "--store", str(built), "--deep", "--format", "json"])
    found = {check["name"]: check for check in json.loads(ran.stdout)}["digests"]
    assert (ran.exit_code, found["verdict"]) == (1, "error")


def test_a_release_of_the_future_is_a_warning(built: Path) -> None:
    (manifest,) = built.glob("releases/*/manifest.json")
    text = manifest.read_text()
    manifest.write_text(text.replace('"2026-01-02T03:04:05Z"', '"2999-01-01T00:00:00Z"'))
    assert manifest.read_text() != text
    found = checked(built, 0)["clock"]
    assert (found["verdict"], "2999-01-01" in found["found"]) == ("warning", True)


def test_little_room_and_few_files_are_warnings(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    assert checks.disk("disk", tmp_path, wanted=free // 2).verdict in ("ok", "warning")
    assert checks.disk("disk", tmp_path, wanted=free * 2).verdict == "warning"
    assert checks.disk("disk", tmp_path / "none").verdict == "error"
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256));"
        "from kg.cli.checks import open_files; print(open_files().verdict, open_files().found)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment()
    )
    assert ran.stdout.startswith("warning a process may have 256 files open"), ran.stderr


def test_no_room_for_temporary_files_is_an_error_and_the_rest_is_told(
    real_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    monkeypatch.setattr(tempfile, "_get_candidate_names", none)
    checks = checked(real_store, 1)
    told = {name for name, check in checks.items() if check["verdict"] == "error"}
    assert "temporary files" in told
    assert "No usable temporary directory" in checks["temporary files"]["found"]
    assert "versions" in checks


def test_a_variable_that_is_no_setting_is_a_warning(
    real_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KG_DEADLIN", "7")
    monkeypatch.setenv("KG_STORE", "elsewhere")
    found = checked(real_store, 0)["settings"]
    assert (found["verdict"], found["found"]) == (
        "warning",
        "KG_DEADLIN is set, and is no setting",
    )


def test_a_table_is_for_people(real_store: Path) -> None:
    ran = CliRunner().invoke(main, ["doctor", "--store", str(real_store)])
    assert ran.exit_code == 0
    assert "HEAD is" in ran.stdout
