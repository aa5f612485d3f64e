"""`kg backup`, `kg restore`, and the dumps that `kg build` makes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kg.cli import main
from kg.project import Project
from kg.store.releases import Releases
from kg_server import environment


@pytest.fixture(autouse=True)
def _working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str | Path, code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def test_a_store_goes_into_a_file_and_comes_back(built: Path, tmp_path: Path) -> None:
    head = Releases.open(built).head().name
    said = run("backup", "file", "--store", built).stdout
    assert said.startswith(f"file: 1 releases, HEAD {head}, ")
    digest = said.split()[-1]
    said = run("restore", "file", "--store", "other").stdout
    assert said.startswith(f"other: 1 releases, HEAD {head}, as they were at 20")
    assert said.split()[-1] == digest
    counted = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    answers = [
        run("query", "--store", store, "--format", "csv", counted).stdout
        for store in (built, "other")
    ]
    assert answers[0] == answers[1] != ""


def test_a_file_that_is_there_is_replaced_with_force_only(built: Path, tmp_path: Path) -> None:
    Path("file").write_text("a letter")
    refused = run("backup", "file", "--store", built, code=2)
    assert "--force" in refused.stderr
    run("backup", "file", "--store", built, "--force")
    run("restore", "file", "--store", "other")


def test_a_damaged_backup_is_an_error_in_words_and_leaves_nothing(built: Path) -> None:
    run("backup", "file", "--store", built)
    content = Path("file").read_bytes()
    Path("file").write_bytes(content[: len(content) // 2])
    refused = run("restore", "file", "--store", "other", code=5)
    assert "error: file cannot be restored: " in refused.stderr
    assert sorted(os.listdir()) == ["file", "store"]


def test_a_store_is_not_restored_over_another(built: Path) -> None:
    run("backup", "file", "--store", built)
    assert "not empty" in run("restore", "file", "--store", built, code=2).stderr


def test_there_is_no_backup_of_nothing(tmp_path: Path) -> None:
    assert "no release yet" in run("backup", "file", "--store", "none", code=5).stderr
    assert os.listdir() == []


@pytest.mark.parametrize("told", ["SIGINT", "SIGTERM"])
def test_an_interrupted_backup_leaves_nothing(built: Path, tmp_path: Path, told: str) -> None:
    """It is stopped where it opens the file that it would write."""
    program = (
        "import os, signal, sys; from kg.cli import main; from kg.store import backups\n"
        "real = backups.write_archive\n"
        "def write(*arguments):\n"
        f"    real(*arguments); os.kill(os.getpid(), signal.{told})\n"
        "backups.write_archive = write\n"
        "main(['backup', 'file', '--store', sys.argv[1]])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(built)],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    assert ran.returncode != 0 and "Traceback" not in ran.stderr
    assert os.listdir() == ["store"]


def test_a_build_makes_the_dumps_and_their_digests(project: Project, tmp_path: Path) -> None:
    run("build", "--project", project.folder, "--store", "new")
    release = Releases.open(Path("new")).head()
    names = [f"{release.name}.{suffix}.gz" for suffix in ("nq", "trig")]
    assert sorted(os.listdir("new/dumps")) == sorted(
        [*names, *(f"{name}.sha256" for name in names)]
    )
    for name in names:
        digest = hashlib.sha256(Path("new/dumps", name).read_bytes()).hexdigest()
        assert Path("new/dumps", f"{name}.sha256").read_text() == f"{digest}  {name}\n"


def test_a_build_makes_no_dumps_where_none_are_wanted(project: Project) -> None:
    run("build", "--no-dumps", "--project", project.folder, "--store", "new")
    assert not Path("new/dumps").exists()


def test_a_dump_that_cannot_be_made_does_not_fail_the_build(project: Project) -> None:
    run("build", "--no-dumps", "--project", project.folder, "--store", "new")
    Path("new/dumps").write_text("in the way")
    said = run("build", "--project", project.folder, "--store", "new")
    assert "the release is made, and its dumps are not: " in said.stderr
