"""Each command through its real door: output, exit code, message."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import click
import pytest
from click.testing import CliRunner, Result

from conftest import FIXTURES
from kg.cli import main
from kg.project import Project
from kg.store.releases import Releases


@pytest.fixture(autouse=True)
def _working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str | Path, code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def replace(file: Path, old: str, new: str) -> None:
    content = file.read_text()
    assert content.count(old) == 1, old
    file.write_text(content.replace(old, new))


# --- check --------------------------------------------------------------------------------


def test_check_says_that_a_project_conforms(project: Project) -> None:
    result = run("check", "--project", project.folder)
    assert result.stdout == (
        f"{project.folder}: conforms; 1 articles, 0 findings\n"
        "0 of 7 anchors verified against their text\n"
    )


def test_check_says_how_many_anchors_it_has_verified(project: Project) -> None:
    text = FIXTURES / "harbour.txt"
    result = run("check", "--project", project.folder, "--text", text)
    assert result.stdout.endswith("7 of 7 anchors verified against their text\n")


def test_check_shows_line_caret_and_remedy(project: Project, source: Path) -> None:
    replace(source, "qualifier: atLeast", "qualifer: atLeast")
    line = source.read_text().split("qualifer")[0].count("\n") + 1
    result = run("check", "--project", project.folder, code=3)
    file = "project/data/articles/harbour-news/article.yaml"
    assert result.stderr == (
        f"{file}:{line}:5: error: unknown key 'qualifer'\n"
        f"{line:>5} |     qualifer: atLeast\n"
        "      |     ^^^^^^^^\n"
        "  help: Did you mean qualifier?\n"
    )


def test_check_shows_a_violation_with_its_line(project: Project, source: Path) -> None:
    replace(source, "modality: reported", "modality: bare")
    result = run("check", "--project", project.folder, code=4)
    first, second = result.stderr.splitlines()[1:3]
    assert first.endswith(
        "Violation: A claim has exactly one modality, from its scheme (rf:modality)."
    )
    assert second.endswith("|     modality: bare")


def test_check_write_needs_a_text(project: Project) -> None:
    result = run("check", "--write", "--project", project.folder, code=2)
    assert "Add --text FILE" in result.stderr


def test_check_write_places_incipits(project: Project, source: Path) -> None:
    before = source.read_text()
    old = "at: 67-106  # at least 40 lamplighters left Northland"
    replace(source, old, "at: {incipit: at least 40, through: Northland}")
    run("check", "--write", "--project", project.folder, "--text", FIXTURES / "harbour.txt")
    assert source.read_text() == before


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\xef\xbb\xbfLamps\n", "byte-order mark"),
        (b"Lamps\r\n", "CR line ends"),
        (b"Other\n", "no article has the text"),
    ],
)
def test_an_unsuitable_text_is_refused(project: Project, content: bytes, problem: str) -> None:
    Path("text.txt").write_bytes(content)
    result = run("check", "--project", project.folder, "--text", "text.txt", code=3)
    assert problem in result.stderr


def test_a_folder_that_is_no_project_is_refused() -> None:
    result = run("check", "--project", "nowhere", code=3)
    assert "nowhere is not a project folder: it has no ontology/" in result.stderr


# --- build and releases -------------------------------------------------------------------


def test_build_makes_a_release_and_says_so(project: Project) -> None:
    result = run("build", "--project", project.folder, "--store", "new")
    head = Releases.open(Path("new")).head()
    assert result.stdout == (
        f"release {head.name}: {head.quads} quads in {len(head.graphs)} graphs,"
        f" digest {head.digest}\n"
    )


def test_build_again_makes_none(project: Project, built: Path) -> None:
    result = run("build", "--project", project.folder, "--store", built)
    assert result.stdout == f"{built}: nothing differs from the release that is there\n"


def test_a_build_that_is_rejected_leaves_the_release_before(
    project: Project, source: Path, built: Path
) -> None:
    replace(source, "    hedge: are said\n", "")
    result = run("build", "--project", project.folder, "--store", built, code=4)
    assert "the gate found 1 violation; nothing was written" in result.stderr
    assert [release.number for release in Releases.open(built).all()] == [1]


def test_a_build_into_a_folder_of_other_things_is_refused(project: Project) -> None:
    Path("things").mkdir()
    Path("things/thing").write_text("")
    result = run("build", "--project", project.folder, "--store", "things", code=5)
    assert "things is not a store" in result.stderr
    assert [file.name for file in Path("things").iterdir()] == ["thing"]


def test_releases_are_listed_with_head_marked(built: Path) -> None:
    head = Releases.open(built).head()
    line = run("releases", "--store", built).stdout.splitlines()[3]
    changed = f"+{head.quads:,} quads; {len(head.graphs)} graphs new"
    assert re.split(r"  +", line.strip()) == [
        "*",
        head.name,
        head.time,
        str(head.quads),
        changed,
        "tests",
        "first",
    ]


def test_releases_as_json_say_the_same(built: Path) -> None:
    (row,) = json.loads(run("releases", "--store", built, "--format", "json").stdout)
    head = Releases.open(built).head()
    assert (row["name"], row["digest"], row["head"]) == (head.name, head.digest, True)


def test_a_store_of_a_newer_version_is_refused(built: Path) -> None:
    (built / "kg-store.json").write_text('{"format": 99}')
    result = run("releases", "--store", built, code=5)
    assert "has store format 99, written by another kg, which is newer" in result.stderr
    assert "kg build --store OTHER" in result.stderr


def test_head_that_names_a_missing_release_is_refused(built: Path) -> None:
    (built / "HEAD").write_text("7-000000000000\n")
    result = run("query", "--store", built, "ASK {}", code=5)
    assert "HEAD names release '7-000000000000', which is not there" in result.stderr


def test_a_store_that_is_not_there_is_refused() -> None:
    assert "has no release yet" in run("releases", "--store", "none", code=5).stderr


# --- query --------------------------------------------------------------------------------

NUMBERS = "SELECT ?value { ?claim sdmx-measure:obsValue ?value } ORDER BY ?value"


def test_a_query_is_answered_as_a_table(built: Path) -> None:
    result = run("query", "--store", built, NUMBERS)
    lines = [line.strip() for line in result.stdout.splitlines() if line.strip()]
    assert (lines[0], lines[2:]) == ("value", ["12", "40", "40"])
    assert result.stderr == "3 solutions\n"


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        ("csv", "value\r\n12\r\n40\r\n40\r\n"),
        (
            "tsv",
            '?value\n"12"^^<XSD>\n"40"^^<XSD>\n"40"^^<XSD>\n'.replace(
                "XSD", "http://www.w3.org/2001/XMLSchema#decimal"
            ),
        ),
    ],
)
def test_a_query_is_answered_in_a_format(built: Path, written: str, answer: str) -> None:
    result = run("query", "--store", built, "--format", written, NUMBERS)
    assert result.stdout_bytes.decode() == answer


def test_a_query_in_a_file_is_answered(built: Path) -> None:
    Path("numbers.rq").write_text(NUMBERS)
    expected = run("query", "--store", built, "--format", "csv", NUMBERS).stdout
    assert run("query", "--store", built, "--format", "csv", "numbers.rq").stdout == expected


def test_a_query_from_standard_input_is_answered(built: Path) -> None:
    result = CliRunner().invoke(main, ["query", "--store", str(built), "-"], input="ASK {}")
    assert (result.exit_code, result.stdout) == (0, "true\n")


def test_a_graph_is_answered_as_turtle(built: Path) -> None:
    result = run("query", "--store", built, "DESCRIBE area:northland")
    assert 'skos:prefLabel "Northland"@en' in result.stdout


def test_a_graph_is_no_table(built: Path) -> None:
    query = "DESCRIBE area:northland"
    result = run("query", "--store", built, "--format", "table", query, code=2)
    assert "It can be given as: turtle" in result.stderr


def test_a_question_is_answered_by_its_name_and_parameter(project: Project, built: Path) -> None:
    where = ("--store", built, "--project", project.folder, "--format", "csv")
    assert run("query", *where, "numbers-of-cohort").stdout.split() == ["value", "40", "40"]
    returned = run("query", *where, "numbers-of-cohort", "-p", "cohort=cohort:ff-returned")
    assert returned.stdout.split() == ["value", "12"]


def test_an_unknown_question_is_refused_with_the_near_one(project: Project, built: Path) -> None:
    where = ("--store", built, "--project", project.folder)
    result = run("query", *where, "number-of-cohort", code=6)
    assert "Did you mean numbers-of-cohort?" in result.stderr


def test_a_malformed_query_is_refused_with_its_line(built: Path) -> None:
    result = run("query", "--store", built, "SELECT * {\n ?s ?p }", code=6)
    assert "the query is not SPARQL at line 2" in result.stderr


def test_a_query_that_calls_a_server_is_refused(built: Path) -> None:
    query = "SELECT * { SERVICE <http://127.0.0.1/> { ?s ?p ?o } }"
    result = run("query", "--store", built, query, code=6)
    assert "SERVICE <http://127.0.0.1/>" in result.stderr


def test_a_query_past_its_deadline_is_ended(built: Path) -> None:
    endless = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
    result = run("query", "--store", built, "--deadline", "0.5", endless, code=7)
    assert "ended after 0.5 s" in result.stderr


# --- new ----------------------------------------------------------------------------------

NEW = ("--title", "More lamps", "--publisher", "org/harbour-news")


def test_new_starts_a_source_with_a_block_a_line(project: Project) -> None:
    Path("text.txt").write_text("More lamps\n\n  Lamps are lit.  \n")
    run("new", "more-lamps", "--project", project.folder, *NEW, "--text", "text.txt")
    content = (project.articles / "more-lamps" / "article.yaml").read_text()
    assert re.findall(r"  at: (\S+)", content) == ["0-10", "14-28"]
    assert "Lamps are lit" not in content
    run("check", "--project", project.folder, "--text", "text.txt")


@pytest.mark.parametrize(
    ("slug", "problem"),
    [("Harbour News", "is no name of an article's folder"), ("harbour-news", "exists already")],
)
def test_new_refuses_a_name(project: Project, source: Path, slug: str, problem: str) -> None:
    before = source.read_bytes()
    result = run("new", slug, "--project", project.folder, *NEW, code=2)
    assert problem in result.stderr
    assert source.read_bytes() == before


# --- serve --------------------------------------------------------------------------------


@pytest.fixture
def server(built: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-c", "from kg.cli import main; main()", "serve", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--store", str(built)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout
    line = process.stdout.readline()
    yield process, line.removeprefix("kg answers at ").strip()
    process.terminate()
    process.communicate(timeout=30)


def get(url: str, path: str) -> tuple[int, bytes]:
    host = url.removeprefix("http://").strip("/")
    with closing(http.client.HTTPConnection(host, timeout=30)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()


def select(query: str) -> str:
    return "/sparql?format=csv&query=" + quote(query)


def test_serve_answers_at_the_address_that_it_prints(
    server: tuple[subprocess.Popen[str], str],
) -> None:
    path = (
        "/sparql?format=csv&query=SELECT%20(COUNT(*)%20AS%20%3Fn)%20%7B%20%3Fc%20a%20rf:Claim%20%7D"
    )
    assert get(server[1], path) == (200, b"n\r\n3\r\n")


def test_serve_answers_from_a_release_that_is_built_meanwhile(
    server: tuple[subprocess.Popen[str], str], project: Project, source: Path, built: Path
) -> None:
    upper = select("SELECT ?v { ?claim a rf:FigureClaim ; rf:upper ?v }")
    assert get(server[1], upper) == (200, b"v\r\n40\r\n")
    replace(source, 'value: 40\n    reportedText: "40"', 'value: 41\n    reportedText: "41"')
    run("build", "--project", project.folder, "--store", built)
    assert get(server[1], upper) == (200, b"v\r\n41\r\n")


def test_serve_ends_when_it_is_asked_to(server: tuple[subprocess.Popen[str], str]) -> None:
    process, url = server
    process.send_signal(signal.SIGINT)
    process.wait(timeout=30)
    with pytest.raises(ConnectionError):
        get(url, "/")


def test_serve_refuses_a_port_in_use(built: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--store", built, "--port", str(port), code=8)
    assert f"127.0.0.1:{port} cannot be listened on" in result.stderr


def test_serve_refuses_a_store_without_release() -> None:
    assert "has no release yet" in run("serve", "--store", "none", "--port", "0", code=5).stderr


# --- help ---------------------------------------------------------------------------------


def test_help_names_every_command_and_exit_code() -> None:
    text = run("--help").stdout
    assert [name for name in main.commands if name not in text] == []
    assert re.findall(r"^ +(\d)  ", text, re.MULTILINE) == [str(code) for code in range(10)]


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_has_help_for_each_option(command: str) -> None:
    options = [p for p in main.commands[command].params if isinstance(p, click.Option)]
    assert run(command, "--help").stdout.startswith(f"Usage: main {command} ")
    assert [each.name for each in options if not each.help] == []
