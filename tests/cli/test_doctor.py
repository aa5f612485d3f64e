"""`kg doctor`: what it finds, and its exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from kg.cli import doctor as module
from kg.cli.main import main
from kg.store.confinement import Isolation
from kg.store.probe import Confinement


def checked(store: Path, code: int) -> dict[str, dict[str, str]]:
    ran = CliRunner().invoke(main, ["doctor", "--store", str(store), "--format", "json"])
    assert ran.exit_code == code
    return {check["name"]: check for check in json.loads(ran.stdout)}


def test_a_store_that_works_is_said_to(real_store: Path) -> None:
    checks = checked(real_store, 0)
    assert list(checks) == [
        "network",
        "landlock",
        "memory",
        "store",
        "temporary files",
        "versions",
    ]
    assert {check["verdict"] for name, check in checks.items() if name != "network"} == {"ok"}
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


def test_a_table_is_for_people(real_store: Path) -> None:
    ran = CliRunner().invoke(main, ["doctor", "--store", str(real_store)])
    assert ran.exit_code == 0
    assert "HEAD is" in ran.stdout
