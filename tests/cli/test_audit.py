"""`kg audit` through its real door: what is shown, what is new, exit codes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conftest import NOW, REPOSITORY
from kg.cli import main
from kg.project import Project
from kg.publishing.publish import publish


def run(*arguments: str | Path, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["audit", *(str(each) for each in arguments)])
    assert result.exit_code == code, result.output
    return result


def test_findings_are_shown_by_rule_with_their_claims(real_store: Path) -> None:
    shown = run("--store", real_store, "--rule", "W3", "--severity", "Warning").stdout
    assert shown.startswith("W3\n  Warning: not comparable (another cohort; as they stand): More ")
    assert shown.endswith(
        "      Fox News: block 9, 2446-2461 “2,926”\n"
        "      Fox News: block 23, 6779-6797 “3,000”\n"
        "\n1 findings, 1 of them warnings\n"
    )


def test_a_rule_is_found_whatever_the_case_of_its_name(real_store: Path) -> None:
    assert run("--store", real_store, "--rule", "w14").stdout.startswith("W14\n")


def test_rules_come_in_the_order_of_their_numbers(real_store: Path) -> None:
    lines = run("--store", real_store).stdout.splitlines()
    rules = [line for line in lines if line.startswith("W")]
    assert rules == [f"W{number}" for number in (1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17)]


def test_findings_are_written_as_json(real_store: Path) -> None:
    (finding,) = json.loads(run("--store", real_store, "--rule", "W7", "--format", "json").stdout)
    assert finding["verdict"] == "not comparable"
    assert finding["reason"] == "another cohort"
    assert [claim["wording"] for claim in finding["concerned"]] == ["129", "300", "129"]


@pytest.mark.parametrize(
    ("written", "part"),
    [
        ("sarif", '"ruleId": "W3"'),
        ("html", "More women and children"),
        ("junit", "<testsuite"),
        ("turtle", "sh:ValidationReport"),
    ],
)
def test_findings_are_written_as_a_report(real_store: Path, written: str, part: str) -> None:
    report = run("--store", real_store, "--rule", "W3", "--format", written).stdout
    assert part in report
    assert "2,926" in report


def test_nothing_is_new_since_the_release_itself(real_store: Path) -> None:
    shown = run("--store", real_store, "--since", "1").stdout
    assert shown == "0 findings, 0 of them warnings\n"


def test_an_unknown_release_is_an_error(real_store: Path) -> None:
    run("--store", real_store, "--since", "99", code=5)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A copy of our own project that a test may change."""
    for part in ("ontology", "data"):
        shutil.copytree(REPOSITORY / part, tmp_path / "project" / part)
    return Project.at(tmp_path / "project")


def test_only_what_is_new_since_a_release_is_shown(project: Project, tmp_path: Path) -> None:
    """A number that is changed in one source makes one rule fire, and changes what others say."""
    store = tmp_path / "store"
    publish(project, store, who="tests", message="", now=NOW)
    source = project.articles / "suffolk-journal-returned-supporters" / "article.yaml"
    changed = source.read_text().replace(
        '  value: 760\n  reportedText: "760"', "  value: 3760\n  reportedText: 3,760"
    )
    source.write_text(changed)
    publish(project, store, who="tests", message="", now=NOW)
    new = json.loads(run("--store", store, "--since", "1", "--format", "json").stdout)
    assert {finding["rule"] for finding in new} == {"W5", "W17"}
    assert all("3,760" in finding["message"] for finding in new)
