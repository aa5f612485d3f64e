"""The fast engine accepts on pyshacl's behalf only where it can be relied on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from rdflib import SH, Graph

from case_world import CASES, changed, shapes, world
from generated_articles import FAULTS, broken
from generated_unit import generated
from kg.errors import EngineRefused, EnginesDisagree
from kg.publishing.gate import validated
from kg.rdf import read_turtle
from kg.validation import accelerated
from kg.validation.accelerated import Accelerated, used
from kg.validation.conformance import Shapes

DATA = b'<urn:a> <urn:p> "x" .\n'


def engine(*, accepts: bool, misses: str = "") -> Any:
    """An engine that finds every canary but one, and accepts all else, or nothing."""

    def report(text: str, *_: str) -> Any:
        names = {line.split(" ")[0].strip("<>") for line in text.splitlines()}
        names |= {line.split(" ")[2].strip("<>") for line in text.splitlines() if " <" in line}
        found = [each for each in names if each.startswith("urn:x-kg:canary/")]
        results = [SimpleNamespace(focus_node=f"<{each}>") for each in found]
        kept = [each for each in results if each.focus_node != f"<urn:x-kg:canary/{misses}>"]
        return SimpleNamespace(conforms=accepts and not kept, results=kept)

    held = SimpleNamespace(validate_text=report)
    return SimpleNamespace(Shapes=SimpleNamespace(from_text=lambda *_: held))


def small(parameter: str = "minCount", value: str = "1") -> Graph:
    """A shapes graph with one constraint."""
    turtle = f"""
        @prefix sh: <http://www.w3.org/ns/shacl#> .
        <urn:s> a sh:NodeShape ; sh:targetNode <urn:a> ; sh:property <urn:t> .
        <urn:t> sh:path <urn:q> ; sh:{parameter} {value} .
    """
    return Graph().parse(data=turtle, format="turtle")


def test_an_engine_that_misses_a_canary_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerated, "_engine", lambda: engine(accepts=True, misses="minCount"))
    with pytest.raises(EngineRefused, match="accepts what breaks sh:minCount"):
        Accelerated(small(), sample=0.01)


def test_shapes_with_a_component_that_has_no_canary_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(accelerated, "_engine", lambda: engine(accepts=True))
    with pytest.raises(EngineRefused, match="sh:unheardOf, which no canary is about"):
        Accelerated(small("unheardOf"), sample=0.01)


def test_an_engine_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(accelerated, "import_module", missing)
    with pytest.raises(EngineRefused, match="not installed"):
        Accelerated(small(), sample=0.01)


def test_where_the_sample_shows_that_it_errs_the_write_is_refused(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(accelerated, "_engine", lambda: engine(accepts=True))
    wrong = Shapes(small())
    wrong.accelerate(1.0)
    with pytest.raises(EnginesDisagree, match="Violation urn:a urn:q MinCount"):
        validated([DATA], [], wrong)
    assert "event=engines_disagree" in caplog.text


def test_what_it_does_not_accept_pyshacl_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerated, "_engine", lambda: engine(accepts=False))
    strict = Shapes(small("maxCount"))
    strict.accelerate(1.0)
    assert validated([DATA], [], strict).findings == []


def test_documents_whose_blank_nodes_might_meet_are_left_to_pyshacl(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(accelerated, "_engine", lambda: engine(accepts=True))
    fast = Accelerated(small(), sample=0.01)
    document = b'_:b <urn:p> "x" .\n'
    assert (fast.accepts([document]), fast.accepts([document, document])) == (True, False)


def test_the_sample_is_the_same_for_the_same_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerated, "_engine", lambda: engine(accepts=True))
    fast = Accelerated(small(), sample=0.25)
    drawn = [fast.is_sampled([b"%d" % number]) for number in range(1000)]
    assert drawn == [fast.is_sampled([b"%d" % number]) for number in range(1000)]
    assert 200 < sum(drawn) < 300


def test_every_component_of_our_shapes_has_a_canary_that_pyshacl_finds() -> None:
    canaries = Graph().parse(data=accelerated._canaries(), format="turtle")
    focus = {
        str(each) for each in canaries.all_nodes() if str(each).startswith(accelerated._CANARY)
    }
    found = {each.focus_node for each in Shapes(canaries).findings(canaries, focus)}
    wanted = {str(each).removeprefix(str(SH)) for each in used(shapes().graph)}
    assert {accelerated._CANARY + name for name in wanted} <= found


# --- the engine itself --------------------------------------------------------------------


@pytest.fixture(scope="module")
def fast() -> Accelerated:
    pytest.importorskip("shacl", reason="the extra `fast` is not installed")
    return Accelerated(shapes().graph, sample=0.01)


def test_it_accepts_a_generated_article(fast: Accelerated) -> None:
    unit = generated()
    assert fast.accepts([*(graph.triples for graph in unit.graphs), unit.reference])


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_it_accepts_no_faulty_article(fast: Accelerated, fault: str) -> None:
    unit = broken(generated(), FAULTS[fault])
    assert not fast.accepts([*(graph.triples for graph in unit.graphs), unit.reference])


def test_it_accepts_no_invalid_case(fast: Accelerated) -> None:
    accepted = []
    for case in CASES:
        stated = read_turtle(case)
        replaced = [
            t for node in set(stated.subjects()) for t in world().triples((node, None, None))
        ]
        with changed(without=replaced, plus=stated) as graph:
            if fast.accepts([graph.serialize(format="nt", encoding="utf-8")]):
                accepted.append(case.name.split(".")[0])
    assert set(accepted) == {"valid"}
