"""`kg check` as continuous integration and a person who writes use it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from fluidattacks_core.sarif import SarifLog
from rdflib import SH, Graph

from kg.cli import main
from kg.cli.watch import watched
from kg.project import Project

ARTICLE = "data/articles/harbour-news/article.yaml"
FORMATS = ("html", "json", "junit", "sarif", "text", "turtle")


def run(*arguments: str | Path, code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return result


def _change(file: Path, old: str, new: str) -> None:
    content = file.read_text()
    assert content.count(old) == 1, old
    file.write_text(content.replace(old, new))


@pytest.fixture
def faulty(project: Project, source: Path) -> Project:
    """The miniature with one violation."""
    _change(source, "qualifier: about", "qualifier: count")
    return project


def _warned(project: Project) -> None:
    """Make the shape that the fault breaks one of severity Warning."""
    shape = project.ontology / "shapes" / "figure-claim.ttl"
    text = shape.read_text() + "\nrfsh:FigureClaim-qualifier sh:severity sh:Warning .\n"
    shape.write_text(text)


# --- formats ------------------------------------------------------------------------------


@pytest.mark.parametrize("format", FORMATS)
def test_a_format_is_written_and_the_exit_code_is_the_same(faulty: Project, format: str) -> None:
    result = run("check", "--project", faulty.folder, "--format", format, code=4)
    written = result.stderr if format == "text" else result.stdout
    if format == "sarif":
        SarifLog.model_validate_json(written, strict=True)
    elif format == "junit":
        root = ElementTree.fromstring(written)  # noqa: S314 - we wrote it
        assert (root.get("failures"), len(list(root.iter("failure")))) == ("1", 1)
    elif format == "turtle":
        graph = Graph().parse(data=written, format="turtle")
        assert len(list(graph.objects(None, SH.detail))) == 1
    elif format == "json":
        (finding,) = json.loads(written)["findings"]
        assert finding["place"]["file"] == "data/articles/harbour-news/article.yaml"
        assert finding["graph"].startswith("https://w3id.org/reported-figures/graph/claims/")
    else:
        assert "A figure has exactly one qualifier" in written


@pytest.mark.parametrize("format", FORMATS)
def test_a_project_without_findings_has_a_report_as_well(project: Project, format: str) -> None:
    result = run("check", "--project", project.folder, "--format", format)
    assert result.stdout


@pytest.mark.parametrize("format", FORMATS)
def test_a_report_goes_to_a_file(faulty: Project, tmp_path: Path, format: str) -> None:
    file = tmp_path / "report"
    arguments = ("check", "--project", faulty.folder, "--format", format, "--output", file)
    result = run(*arguments, code=4)
    assert (result.stdout, "qualifier" in file.read_text()) == ("", True)
    assert "\x1b" not in file.read_text()


def test_a_source_that_cannot_be_read_is_in_the_report_and_ends_with_3(
    project: Project, source: Path
) -> None:
    _change(source, "qualifier: about", "qualifer: about")
    _change(source, "language: en", "lang: en")
    result = run("check", "--project", project.folder, "--format", "json", code=3)
    findings = json.loads(result.stdout)["findings"]
    assert [each["component"] for each in findings] == ["UnknownKey", "UnknownKey"]
    assert {each["place"]["key"] for each in findings} == {"qualifer", "lang"}


# --- what cannot be checked ---------------------------------------------------------------

Told = tuple[str, str, str]
"""Severity, place and message."""


def _of_json(written: str) -> list[Told]:
    told = []
    for each in json.loads(written)["findings"]:
        place = ":".join(str(each["place"][name]) for name in ("file", "line", "column"))
        told.append((each["severity"], place, each["message"]))
    return told


def _of_sarif(written: str) -> list[Told]:
    SarifLog.model_validate_json(written, strict=True)
    told = []
    for each in json.loads(written)["runs"][0]["results"]:
        physical = each["locations"][0]["physicalLocation"]
        region = physical["region"]
        file = physical["artifactLocation"]["uri"]
        place = f"{file}:{region['startLine']}:{region['startColumn']}"
        told.append(({"error": "Violation"}[each["level"]], place, each["message"]["text"]))
    return told


def _of_junit(written: str) -> list[Told]:
    root = ElementTree.fromstring(written)  # noqa: S314 - we wrote it
    assert [each.get("name") for each in root.iter("testcase")] == [ARTICLE]  # none else passed
    told = [(each.text or "").splitlines()[1] for each in root.iter("failure")]
    parts = (line.split(": ", 2) for line in told)
    return [(severity, place, message) for place, severity, message in parts]


def _of_turtle(written: str) -> list[Told]:
    graph = Graph().parse(data=written, format="turtle")
    told = []
    for result in graph.objects(None, SH.result):
        place, message = str(graph.value(result, SH.resultMessage)).split(": ", 1)
        severity = graph.value(result, SH.resultSeverity)
        told.append((str(severity).removeprefix(str(SH)), place, message))
    return told


class _Items(HTMLParser):
    """The texts within each finding of the page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[list[str]] = []
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "li" and dict(attrs).get("id"):
            self.found.append([])
            self._open = True

    def handle_endtag(self, tag: str) -> None:
        self._open = self._open and tag != "li"

    def handle_data(self, data: str) -> None:
        if self._open and data.strip(": \n"):
            self.found[-1].append(data)


def _of_html(written: str) -> list[Told]:
    items = _Items()
    items.feed(written)
    return [(severity, place, message) for severity, message, place, *_ in items.found]


READERS = {
    "html": _of_html,
    "json": _of_json,
    "junit": _of_junit,
    "sarif": _of_sarif,
    "turtle": _of_turtle,
}


@pytest.mark.parametrize("format", READERS)
def test_yaml_that_cannot_be_read_is_a_violation_with_its_place_in_every_format(
    project: Project, source: Path, format: str
) -> None:
    _change(source, "  language: en", "  language: @en")
    line = source.read_text().split("@en")[0].count("\n") + 1
    result = run("check", "--project", project.folder, "--format", format, code=3)
    problem = "found character '@' that cannot start any token"
    message = f"this is not YAML: {problem}. Mend it at this place."
    assert READERS[format](result.stdout) == [("Violation", f"{ARTICLE}:{line}:13", message)]
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("file", "damage", "component"),
    [
        ("ontology/shapes/block.ttl", "not Turtle", "MalformedFile"),
        ("ontology/shapes/block.ttl", "rfsh:Block sh:pattern '(' .", "ShapesError"),
        ("ontology/rules/bounds.rq", "not SPARQL", "RuleError"),
        ("ontology/audit/figures.rq", "SERVICE <http://ex/> {}", "RuleError"),
        ("ontology/context.jsonld", "not JSON", "MalformedFile"),
        ("data/reference/areas.ttl", "not Turtle", "MalformedFile"),
    ],
)
def test_whatever_keeps_a_project_from_being_checked_is_in_the_report(
    project: Project, file: str, damage: str, component: str
) -> None:
    path = project.folder / file
    path.write_text(path.read_text() + "\n" + damage + "\n")
    result = run("check", "--project", project.folder, "--format", "json", code=3)
    report = json.loads(result.stdout)
    (finding,) = report["findings"]
    assert (finding["component"], finding["place"]["file"]) == (component, file)
    assert report["checked"] == [{"group": "ontology and reference data", "name": file}]
    assert report["conforms"] is False


@pytest.mark.parametrize("folder", ["ontology/shapes", "data/articles"])
def test_a_project_that_lacks_what_it_needs_has_a_report_as_well(
    project: Project, folder: str
) -> None:
    shutil.rmtree(project.folder / folder)
    result = run("check", "--project", project.folder, "--format", "json", code=3)
    (finding,) = json.loads(result.stdout)["findings"]
    assert (finding["component"], folder in finding["message"]) == ("MissingFile", True)


def test_no_word_of_a_text_that_was_supplied_is_in_a_report(
    project: Project, tmp_path: Path
) -> None:
    text = tmp_path / "text"
    text.write_bytes(b"words of others\r\n")
    arguments = ("check", "--project", project.folder, "--text", text, "--format", "json")
    (finding,) = json.loads(run(*arguments, code=3).stdout)["findings"]
    assert (finding["component"], finding["place"]["line"]) == ("UnsuitableText", 1)
    sarif = run(*arguments[:-1], "sarif", code=3).stdout
    assert "words of others" not in sarif


def test_an_error_in_text_is_written_as_before(project: Project, source: Path) -> None:
    _change(source, "  language: en", "  language: @en")
    result = run("check", "--project", project.folder, code=3)
    assert (result.stdout, "error: this is not YAML" in result.stderr) == ("", True)


# --- places -------------------------------------------------------------------------------


def test_a_finding_in_the_reference_data_has_the_line_of_its_block(project: Project) -> None:
    areas = project.folder / "data" / "reference" / "areas.ttl"
    _change(areas, '    skos:notation "XN"^^rf:iso3166Alpha2 ;\n', "")
    line = areas.read_text().split("area:northland")[0].count("\n") + 1
    result = run("check", "--project", project.folder, "--format", "json", code=4)
    places = [each["place"] for each in json.loads(result.stdout)["findings"]]
    expected = {"file": "data/reference/areas.ttl", "line": line, "column": 1}
    assert expected | {"key": "area:northland"} in places


def test_text_names_cause_and_graph_of_a_violation(faulty: Project) -> None:
    result = run("check", "--project", faulty.folder, code=4)
    assert "because The concept is one of the scheme qualifier" in result.stderr
    assert result.stderr.endswith("1 violation\n")


# --- severity -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fail_on", "code"), [("violation", 0), ("warning", 4), ("info", 4), (None, 0)]
)
def test_severity_decides_the_exit_code(faulty: Project, fail_on: str | None, code: int) -> None:
    _warned(faulty)
    chosen = ("--fail-on", fail_on) if fail_on else ()
    result = run("check", "--project", faulty.folder, *chosen, code=code)
    assert "1 warning" in result.stderr
    assert "conforms; 1 articles, 1 findings (1 warning)" in result.stdout


# --- watching -----------------------------------------------------------------------------


class _Watching:
    """`kg check --watch` in a process of its own."""

    def __init__(self, project: Project, log: Path) -> None:
        self._log = log
        program = "from kg.cli import main; main(prog_name='kg')"
        arguments = ["check", "--watch", "--project", str(project.folder)]
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-c", program, *arguments],
                stdout=file,
                stderr=file,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )

    def rounds(self, wanted: int) -> list[str]:
        """What it has said in each round, once there are so many."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            *rounds, _ = self._log.read_text().split("; Ctrl-C ends it")
            if len(rounds) >= wanted:
                return rounds
            assert self.process.poll() is None, self._log.read_text()
            time.sleep(0.05)
        raise AssertionError(self._log.read_text())

    def interrupt(self) -> int:
        """The exit code after Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=20)


def test_watching_checks_again_after_a_change_and_ends_with_ctrl_c(
    project: Project, source: Path, tmp_path: Path
) -> None:
    watching = _Watching(project, tmp_path / "log")
    try:
        assert "conforms; 1 articles, 0 findings" in watching.rounds(1)[0]
        _change(source, "qualifier: about", "qualifier: count")
        assert "1 violation" in watching.rounds(2)[1]
        _change(source, "qualifier: count", "qualifer: about")
        assert "unknown key 'qualifer'" in watching.rounds(3)[2]
        _change(source, "qualifer: about", "qualifier: about")
        assert "conforms; 1 articles, 0 findings" in watching.rounds(4)[3]
        with (project.ontology / "shapes" / "block.ttl").open("a") as shapes:
            shapes.write("not Turtle")
        assert "this is not Turtle" in watching.rounds(5)[4]
        assert watching.interrupt() == 3
    finally:
        watching.process.kill()
        watching.process.wait()
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_what_did_not_change_is_not_checked_again(project: Project, source: Path) -> None:
    checks = list[str]()

    def check() -> int:
        checks.append(source.read_text())
        return 4

    assert watched(project, check, iter([None] * 3)) == 4
    assert checks == [source.read_text()]


def test_the_exit_code_of_a_watch_is_that_of_the_last_check(
    faulty: Project, tmp_path: Path
) -> None:
    watching = _Watching(faulty, tmp_path / "log")
    try:
        assert "1 violation" in watching.rounds(1)[0]
        assert watching.interrupt() == 4
    finally:
        watching.process.kill()
        watching.process.wait()
