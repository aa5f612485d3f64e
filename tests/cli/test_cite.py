"""`kg cite` and `kg verify` through their real doors."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conftest import FIXTURES
from kg.cli import main
from kg.store.releases import Releases
from store_parts import committed, graph

PAIRS = "SELECT ?s ?o { ?s <http://ex/p> ?o }"
URL = "https://data.example.org/kg/"


@pytest.fixture(scope="module")
def _once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cite") / "store"
    committed(folder, graph("one", ":a :p :x", ":b :p :x"))
    committed(folder, graph("one", ":a :p :x"))
    return folder


@pytest.fixture(autouse=True)
def folder(_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with a second release, whose result is smaller, in the working folder."""
    store = shutil.copytree(_once, tmp_path / "here" / "store")
    monkeypatch.chdir(store.parent)
    return store


def run(*arguments: str, code: int = 0, **environ: str) -> Result:
    result = CliRunner().invoke(main, arguments, env=environ)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def cited(*arguments: str) -> dict[str, object]:
    record: dict[str, object] = json.loads(run("cite", "--format", "json", *arguments).stdout)
    return record


def test_cite_writes_a_text_and_keeps_the_record(folder: Path) -> None:
    result = run("cite", PAIRS, "--title", "Pairs", KG_PUBLIC_URL=URL)
    (file,) = (folder / "citations").iterdir()
    record = json.loads(file.read_bytes())
    assert result.stdout == (
        f"a kg dataset: Pairs (2026) [Data set]. Release {record['release']}, 2026-01-02."
        f" {URL}c/{file.stem}. Result of a SELECT query: 1 solution, SHA-256 {record['digest']}."
        f" Accessed {record['cited'][:10]}.\n"
    )


def test_cite_of_an_older_release(folder: Path) -> None:
    name = Releases.open(folder).named("1").name
    assert [cited(PAIRS, "--release", at)["release"] for at in ("1", name)] == [name, name]
    assert len(list((folder / "citations").iterdir())) == 1


@pytest.mark.parametrize(
    ("written", "start"),
    [("bibtex", "@misc{kg-"), ("csl", "[\n"), ("cff", "cff-version: 1.2.0\n"), ("url", URL)],
)
def test_cite_in_the_formats_of_others(written: str, start: str) -> None:
    assert run("cite", PAIRS, "--format", written, KG_PUBLIC_URL=URL).stdout.startswith(start)


def test_an_address_that_nobody_knows_is_an_error_and_cites_nothing(folder: Path) -> None:
    assert "public_url" in run("cite", PAIRS, "--format", "url", code=2).stderr
    assert not (folder / "citations").exists()


def test_a_query_from_a_file_is_that_query() -> None:
    Path("query.rq").write_text(PAIRS)
    assert cited("query.rq")["id"] == cited(PAIRS)["id"]


def test_a_question_is_cited_with_its_parameters(built: Path) -> None:
    project, store = FIXTURES.parents[1], str(built)
    options = ("--project", str(project), "--store", store, "-p", "area=area:northland")
    record = cited("figures-of-area", *options)
    assert (record["question"], record["parameters"]) == (
        "figures-of-area",
        {"area": "area:northland"},
    )
    assert "area/northland>" in str(record["query"])
    assert run("verify", str(record["id"]), "--store", store).stdout.startswith("The same: ")


def test_what_cannot_be_cited_ends_with_6() -> None:
    assert "something new each time" in run("cite", "SELECT (NOW() AS ?n) {}", code=6).stderr


def test_verify_says_the_same_by_id_address_and_file() -> None:
    record = cited(PAIRS)
    Path("citation.json").write_text(json.dumps(record))
    for name in (str(record["id"]), f"{URL}c/{record['id']}", "citation.json"):
        assert run("verify", name).stdout == (
            f"The same: 1 solution, SHA-256 {record['digest']}, on release {record['release']}.\n"
        )


def test_verify_says_different_with_9() -> None:
    id = str(cited(PAIRS)["id"])
    result = run("verify", id, "--at", "1", code=9)
    assert result.stdout.startswith("Different: 1 solution when it was cited")
    assert run("verify", id, "--at", "HEAD").stdout.startswith("The same: ")


def test_verify_gives_the_verdict_as_json(folder: Path) -> None:
    record = cited(PAIRS)
    verdict = json.loads(
        run("verify", str(record["id"]), "--at", "1", "--format", "json", code=9).stdout
    )
    assert (verdict["verdict"], verdict["citation"]) == ("different", record["id"])
    assert verdict["cited"] == {"digest": record["digest"], "rows": 1}
    assert verdict["now"]["rows"] == 2
    assert verdict["release"] == Releases.open(folder).named("1").name


def test_a_release_that_is_gone_is_told_with_9(folder: Path) -> None:
    record = cited(PAIRS, "--release", "1")
    shutil.rmtree(folder / "releases" / str(record["release"]))
    result = run("verify", str(record["id"]), code=9)
    assert result.stdout.startswith(f"Release {record['release']} is gone")


def test_an_unknown_citation_and_a_changed_file_are_errors() -> None:
    assert "no citation '0123456789abcdef'" in run("verify", "0123456789abcdef", code=1).stderr
    Path("changed.json").write_text(json.dumps(cited(PAIRS) | {"rows": 7}))
    assert "it was changed" in run("verify", "changed.json", code=3).stderr


def test_verify_tells_the_notes_of_the_query() -> None:
    id = str(cited(PAIRS + " LIMIT 1")["id"])
    assert "cuts an unordered result" in run("verify", id).stdout


def test_what_a_stranger_wrote_into_a_record_does_not_reach_the_terminal() -> None:
    Path("notes.json").write_text(json.dumps(cited(PAIRS) | {"notes": ["\x1b[31mSame.\u202e"]}))
    shown = CliRunner().invoke(main, ["verify", "notes.json"], color=True).stdout
    assert shown.splitlines()[1] == "\ufffd[31mSame.\ufffd"


@pytest.mark.parametrize("content", ["[" * 100_000, '{"version": 1, "notes": ["\\ud800"]}'])
def test_a_record_that_nothing_can_read_is_an_error(content: str) -> None:
    if content.startswith("{"):
        content = json.dumps(cited(PAIRS) | json.loads(content))
    Path("bad.json").write_text(content)
    assert "is not a citation" in run("verify", "bad.json", code=3).stderr
