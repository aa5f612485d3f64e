"""The audit of a build: where its findings go, what it sees, and what is wrong with a rule."""

from __future__ import annotations

from pathlib import Path

import pytest

import kg
from conftest import NOW
from kg.errors import ForeignGraph, RuleError
from kg.namespaces import FINDINGS, USUAL_PREFIXES
from kg.project import Project
from kg.publishing.audit import audited, read_audit, read_audit_rule
from kg.publishing.publish import check, publish
from kg.publishing.written_graphs import check_free
from kg.store.base import NamedGraph, Owner
from kg.store.releases import Releases

SHOUT = """# W99: Everything
CONSTRUCT { <urn:x:found> <urn:x:of> ?o } WHERE { ?s <urn:x:said> ?o }
"""
SAID = b'<urn:x:s> <urn:x:said> "a word" .\n'


def graph(*, restricted: bool = False) -> NamedGraph:
    return NamedGraph("urn:x:graph", SAID, Owner.DATA, restricted)


def test_findings_go_into_a_graph_of_their_rule() -> None:
    rule = read_audit_rule(Path("w99.rq"), SHOUT)
    assert audited([graph()], [rule], USUAL_PREFIXES) == (
        NamedGraph(FINDINGS + "W99", b'<urn:x:found> <urn:x:of> "a word" .\n', Owner.DERIVED),
    )


def test_a_rule_does_not_see_what_is_restricted() -> None:
    rule = read_audit_rule(Path("w99.rq"), SHOUT)
    assert audited([graph(restricted=True)], [rule], USUAL_PREFIXES) == ()


def test_a_rule_sees_what_a_working_one_prepares_and_nobody_else_does() -> None:
    working = "# ready: Prepared\n# into: working\n" + (
        "CONSTRUCT { <urn:x:t> <urn:x:said> ?o } WHERE { ?s <urn:x:told> ?o }"
    )
    rules = [read_audit_rule(Path("a.rq"), working), read_audit_rule(Path("w99.rq"), SHOUT)]
    told = NamedGraph("urn:x:graph", b'<urn:x:s> <urn:x:told> "a word" .\n', Owner.DATA)
    (found,) = audited([told], rules, USUAL_PREFIXES)
    assert found.triples == b'<urn:x:found> <urn:x:of> "a word" .\n'


def test_a_rule_without_a_name_is_refused() -> None:
    with pytest.raises(RuleError, match="has no name"):
        read_audit_rule(Path("w99.rq"), "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }")


def test_a_rule_that_names_a_server_is_refused() -> None:
    query = "# W99: Elsewhere\nCONSTRUCT { ?s ?p ?o } WHERE { SERVICE <http://x/> { ?s ?p ?o } }"
    with pytest.raises(RuleError, match="another server"):
        read_audit_rule(Path("w99.rq"), query)


def test_a_build_keeps_the_findings_as_graphs_of_its_own(real_store: Path) -> None:
    states = Releases.open(real_store).head().graphs
    found = {state.iri: state.owner for state in states if state.iri.startswith(FINDINGS)}
    assert FINDINGS + "W3" in found
    assert set(found.values()) == {Owner.DERIVED}


def test_a_release_carries_the_rules_that_it_was_audited_with(real_store: Path) -> None:
    carried = Releases.open(real_store).head().folder / "audit"
    rules = [rule.rule.file for rule in read_audit(Project.at(Path(__file__).parents[2]))]
    assert sorted(file.name for file in carried.iterdir()) == [file.name for file in rules]


def test_a_finding_that_is_none_by_the_shapes_is_the_rules_fault(
    project: Project, tmp_path: Path
) -> None:
    rule = project.ontology / "audit" / "w99.rq"
    rule.write_text(
        "# W99: A finding without a verdict\n"
        'CONSTRUCT { <urn:x:found> a rf:Finding ; rf:rule "W99" } WHERE { ?s a rf:Claim }'
    )
    with pytest.raises(RuleError, match="made a finding that is none"):
        publish(project, tmp_path / "store", who="tests", message="", now=NOW)


def test_a_rule_that_cannot_be_run_is_told_with_its_file(project: Project, tmp_path: Path) -> None:
    rule = project.ontology / "audit" / "w99.rq"
    rule.write_text("# W99: Nonsense\nCONSTRUCT { ?s ?p ?o } WHERE { ?s ?p }")
    with pytest.raises(RuleError) as caught:
        publish(project, tmp_path / "store", who="tests", message="", now=NOW)
    assert caught.value.place is not None
    assert caught.value.place.file == rule


def test_a_project_without_an_audit_is_built(project: Project, tmp_path: Path) -> None:
    for file in project.audit():
        file.unlink()
    assert publish(project, tmp_path / "store", who="tests", message="", now=NOW)


def test_a_findings_graph_is_no_clients_to_write() -> None:
    with pytest.raises(ForeignGraph) as caught:
        check_free(FINDINGS + "W1", None)
    assert "ontology/audit/" in str(caught.value.remedy)


def test_a_second_build_of_the_same_project_finds_the_same(
    project: Project, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    assert publish(project, store, who="tests", message="", now=NOW)
    assert publish(project, store, who="tests", message="", now=NOW) is None


def test_a_check_reads_the_rules_of_the_audit(project: Project) -> None:
    (project.ontology / "audit" / "w99.rq").write_text("CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }")
    with pytest.raises(RuleError, match="has no name"):
        check(project)


def test_findings_are_asked_for_by_sparql(real_store: Path) -> None:
    with kg.open(real_store) as store:
        query = 'ASK { ?finding a rf:Finding ; rf:rule "W3" ; rf:verdict code:notComparable }'
        assert store.query(query) is True
