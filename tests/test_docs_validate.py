"""docs/validate.md: its commands and its Python give what stands below them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kg.cli.check import check
from kg.media import REPORT_FORMATS
from kg.validation.report import Finding
from kg.validation.reports.formats import WRITERS
from kg.validation.reports.report import Report
from kg.validation.reports.structured import described
from kg.web.validation import VALIDATED
from kg_server import Server, running

GUIDE = (Path(__file__).parents[1] / "docs" / "validate.md").read_text()
BLOCKS = re.findall(r"```(sh|python)\n(.+?)```\n+```text\n(.+?)```", GUIDE, re.DOTALL)
PROGRAMS = {"sh": ["bash", "-c"], "python": [sys.executable, "-c"]}


@pytest.fixture(scope="module")
def server(real_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(real_store, tmp_path_factory.mktemp("guide") / "log", workers=1) as server:
        yield server


def test_the_guide_has_a_command_and_a_program() -> None:
    assert [kind for kind, _, _ in BLOCKS] == ["sh", "python"]


@pytest.mark.parametrize(("kind", "code", "expected"), BLOCKS, ids=["sh", "python"])
def test_an_example_of_the_guide_gives_its_answer(
    server: Server, kind: str, code: str, expected: str
) -> None:
    here = code.replace("http://127.0.0.1:8000/", server.url)
    ran = subprocess.run([*PROGRAMS[kind], here], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == (expected, "")


def test_every_type_that_is_taken_or_given_is_in_the_guide() -> None:
    formats = (*VALIDATED, *REPORT_FORMATS)
    assert [each.media_type for each in formats if f"`{each.media_type}`" not in GUIDE] == []
    assert [each.name for each in REPORT_FORMATS if f"`{each.name}`" not in GUIDE] == []


def test_every_format_of_the_command_is_in_the_guide() -> None:
    (listed,) = re.findall(r"kg check --format (\S+)", GUIDE)
    (option,) = [each for each in check.params if each.name == "written"]
    assert sorted(listed.split("|")) == sorted(WRITERS) == sorted(option.type.choices)  # type: ignore[attr-defined]


def test_every_member_of_a_finding_is_in_the_guide() -> None:
    finding = Finding("Info", "a:a", "a:p", "In", "m", "v", branch="1", related=("a:b",))
    members = described(finding, Report(findings=[finding])) | {"place": None, "causes": None}
    assert [name for name in members if f"`{name}`" not in GUIDE] == []
