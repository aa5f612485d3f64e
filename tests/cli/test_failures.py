"""What a person may meet at the command line ends with a message and an exit code."""

from __future__ import annotations

import getpass
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conftest import FIXTURES
from kg.cli import main
from kg.project import Project
from kg.settings import Settings
from kg.store.releases import Releases
from kg.validation.report import Finding
from kg.validation.reports.report import Report
from kg.validation.reports.text import text


@pytest.fixture(autouse=True)
def _working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)


def run(*arguments: str | Path, code: int = 0, input: bytes | None = None) -> Result:
    result = CliRunner().invoke(main, [str(each) for each in arguments], input=input)
    assert result.exit_code == code, (result.output, result.exception)
    return result


NEW = ("new", "more-lamps", "--title", "More lamps", "--publisher", "org/harbour-news")
WRITE = ("check", "--write", "--text", FIXTURES / "harbour.txt")


# --- query --------------------------------------------------------------------------------


def test_a_long_query_is_no_file(built: Path) -> None:
    """Path.is_file() raises OSError where a name is longer than the system takes."""
    long = "ASK { FILTER(" + " && ".join(["true"] * 1500) + ") }"
    assert len(long) > 10_000
    assert run("query", "--store", built, long).stdout == "true\n"


def test_a_long_word_is_no_question(built: Path) -> None:
    assert "there is no question" in run("query", "--store", built, "a" * 5000, code=6).stderr


def test_a_query_file_that_is_not_utf_8_is_refused(built: Path) -> None:
    Path("query.rq").write_bytes(b"ASK {}\n# \xff")
    assert "query.rq:2: error: " in run("query", "--store", built, "query.rq", code=3).stderr


def test_standard_input_that_is_not_utf_8_is_refused(built: Path) -> None:
    result = run("query", "--store", built, "-", input=b"ASK {} # \xff", code=3)
    assert "byte 0xff is not UTF-8" in result.stderr


def test_a_question_that_is_not_utf_8_is_refused(project: Project, built: Path) -> None:
    (project.folder / "data" / "questions" / "odd.rq").write_bytes(b"\xff")
    result = run("query", "--store", built, "--project", project.folder, "odd", code=3)
    assert "odd.rq:1: error: " in result.stderr


def test_a_triple_term_is_no_table(built: Path) -> None:
    query = "SELECT (<<(rf:a rf:b rf:c)>> AS ?x) {}"
    result = run("query", "--store", built, query, code=2)
    assert "It can be given as: json, xml, csv, tsv." in result.stderr
    assert "<<( " in run("query", "--store", built, "--format", "tsv", query).stdout


@pytest.mark.parametrize("deadline", ["nan", "inf", "1e300", "-1"])
@pytest.mark.parametrize("command", [("query", "ASK {}"), ("serve", "--port", "0")])
def test_a_deadline_that_is_none_is_refused(
    built: Path, command: tuple[str, ...], deadline: str
) -> None:
    result = run(*command, "--store", built, "--deadline", deadline, code=2)
    assert "deadline is" in result.stderr


# --- where a command writes ---------------------------------------------------------------


@pytest.mark.parametrize("command", [NEW, WRITE], ids=["new", "check --write"])
def test_nothing_is_written_into_the_project_that_came_with_kg(command: tuple[str, ...]) -> None:
    assert "is not a project folder" in run(*command, code=3).stderr


def test_new_writes_into_the_project_one_is_in(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.articles)
    run(*NEW)
    assert (project.articles / "more-lamps" / "article.yaml").is_file()


def test_an_error_of_the_system_is_a_message(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "data/articles/more-lamps")

    monkeypatch.setattr(Path, "mkdir", refuse)
    result = run(*NEW, "--project", project.folder, code=1)
    assert result.stderr == "error: data/articles/more-lamps: Permission denied\n"


def test_a_working_folder_that_is_gone_is_said() -> None:
    shutil.rmtree(Path.cwd())
    assert "is not a project folder" in run("check", code=3).stderr


# --- build, check, help -------------------------------------------------------------------


def test_a_user_without_a_name_builds_by_number(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr(getpass, "getuser", nobody)
    run("build", "--project", project.folder, "--store", "new")
    assert Releases.open(Path("new")).head().who == f"uid {os.getuid()}"


def test_a_severity_of_ones_own_is_shown() -> None:
    finding = Finding("https://example.org/Hint", "-", "-", "MinCount", "A hint.")
    assert "https://example.org/Hint: A hint." in text(Report(findings=[finding]))


def test_help_lists_every_setting() -> None:
    text = run("--help").stdout
    assert [name for name in Settings.described() if name not in text] == []
