"""A build checks again what changed, and only that; many articles in processes of their own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rdflib import Graph

from case_world import shapes
from conftest import NOW
from generated_articles import FAULTS, broken
from generated_unit import generated
from kg.errors import Rejected, WorkerDied
from kg.project import Project
from kg.publishing import gate
from kg.publishing.gate import judged
from kg.publishing.publish import publish, silent
from kg.publishing.staging import Reference, Staged, Unit
from kg.publishing.verdicts import FILE, Verdicts
from kg.settings import Settings
from kg.store.releases import Releases
from kg.validation import conformance
from tasks_done import ended_at_start


def told(
    project: Project, store: Path, settings: Settings | None = None
) -> list[tuple[str, int, int]]:
    """What a build says of what it checks."""
    reports: list[tuple[str, int, int]] = []
    publish(
        project,
        store,
        who="test",
        message="",
        now=NOW,
        progress=lambda *report: reports.append(report),
        settings=settings,
    )
    return [each for each in reports if "check" in each[0] or "conforming" in each[0]]


def change(file: Path, old: str, new: str) -> None:
    content = file.read_text()
    assert old in content
    file.write_text(content.replace(old, new, 1))


def test_a_second_build_checks_nothing(project: Project, tmp_path: Path) -> None:
    first = told(project, tmp_path / "store")
    units = first[-1][2]
    assert first[-1] == ("articles checked", units, units)
    release = Releases.open(tmp_path / "store").head().name
    again = told(project, tmp_path / "store")
    assert again == [(f"conforming as in release {release}", units, units)]


def test_a_changed_article_is_checked_alone(project: Project, source: Path, tmp_path: Path) -> None:
    units = told(project, tmp_path / "store")[-1][2]
    change(source, "reportedText: about 12", "reportedText: around 12")
    said = told(project, tmp_path / "store")
    release = Releases.open(tmp_path / "store")
    assert said == [
        ("conforming as in release " + release.all()[0].name, units - 1, units),
        ("articles checked", 1, 1),
    ]


def test_a_change_of_the_shapes_has_all_checked_and_says_so_first(
    project: Project, tmp_path: Path
) -> None:
    units = told(project, tmp_path / "store")[-1][2]
    shape = project.folder / "ontology" / "shapes" / "block.ttl"
    shape.write_text(shape.read_text() + "# changed\n")
    said = told(project, tmp_path / "store")
    assert said[0] == ("the shapes changed: all is checked again", 0, units)
    assert said[-1] == ("articles checked", units, units)


class Eager:
    """A fast engine that accepts whatever it is asked about."""

    engine = "eager 1"

    def __init__(self, shapes: Graph, *, sample: float) -> None:
        pass

    def accepts(self, documents: Sequence[bytes]) -> bool:
        return True

    def is_sampled(self, documents: Sequence[bytes]) -> bool:
        return False


def test_what_the_fast_engine_accepted_is_checked_again_without_it(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conformance, "Accelerated", Eager)
    fast = Settings(fast=True, check_processes=1)
    units = told(project, tmp_path / "store", fast)[-1][2]
    said = told(project, tmp_path / "store")
    assert said[-1] == ("articles checked", units, units)


def test_what_pyshacl_accepted_is_passed_over_beside_the_fast_engine(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conformance, "Accelerated", Eager)
    units = told(project, tmp_path / "store")[-1][2]
    fast = Settings(fast=True, check_processes=1)
    assert [each[1:] for each in told(project, tmp_path / "store", fast)] == [(units, units)]


def test_what_does_not_conform_is_checked_by_every_build(project: Project, tmp_path: Path) -> None:
    told(project, tmp_path / "store")
    area = project.folder / "data" / "reference" / "areas.ttl"
    change(area, "skos:prefLabel", "skos:hiddenLabel")
    for _ in range(2):
        with pytest.raises(Rejected):
            told(project, tmp_path / "store")


def test_the_release_keeps_a_fingerprint_of_each_article(project: Project, tmp_path: Path) -> None:
    told(project, tmp_path / "store")
    head = Releases.open(tmp_path / "store").head()
    kept = json.loads((head.folder / FILE).read_text())["conforming"]
    assert {len(each) for each in kept.values()} == {64}
    assert "reference" in kept
    assert Verdicts.of_head(tmp_path / "store").conforming == kept


def test_a_store_that_is_not_there_has_no_verdicts(tmp_path: Path) -> None:
    assert Verdicts.of_head(tmp_path / "none") == Verdicts()


def many(count: int, faults: Sequence[str]) -> Staged:
    unit = generated()
    units = [replace(unit, key=f"{number:016}", places={}) for number in range(count)]
    units = [_marked(each) for each in units]
    units += [_marked(replace(broken(unit, FAULTS[name]), key=name)) for name in faults]
    return Staged(Reference({}), tuple(units))


def _marked(unit: Unit) -> Unit:
    """The unit with a triple that tells it from the others."""
    mark = f'<urn:unit> <urn:key> "{unit.key}" .\n'.encode()
    first, *others = unit.graphs
    return replace(unit, graphs=(replace(first, triples=first.triples + mark), *others))


def test_two_processes_find_what_one_finds() -> None:
    staged = many(40, sorted(FAULTS)[:4])
    one = judged(staged, shapes(), silent)
    two = judged(staged, shapes(), silent, processes=2)
    assert two == one
    assert one.checked == 45
    assert len(one.findings) >= 4
    assert len(one.conforming) == 41


def test_a_process_that_ends_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "_checker", ended_at_start)
    with pytest.raises(
        WorkerDied, match="a process that checked articles ended: its exit code was 9"
    ):
        judged(many(40, []), shapes(), silent, processes=2)


def test_known_units_are_passed_over() -> None:
    staged = many(3, ["no unit"])
    first = judged(staged, shapes(), silent)
    second = judged(staged, shapes(), silent, known=set(first.conforming.values()))
    assert (second.checked, second.findings) == (1, first.findings)
    assert second.conforming == first.conforming
