"""`kg check` as continuous integration and a person who writes use it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from fluidattacks_core.sarif import SarifLog
from rdflib import SH, Graph

from kg.cli import main
from kg.cli.watch import watched
from kg.project import Project

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
