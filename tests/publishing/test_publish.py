"""The road in: same input, same digest; what is wrong leaves the release before as it was."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from conftest import NOW
from kg.errors import MalformedFile, Rejected, RuleError, ShapesError
from kg.media import N_QUADS
from kg.project import Project
from kg.publishing.publish import check, publish
from kg.settings import Settings
from kg.store.base import Release
from kg.store.embedded import EmbeddedStore
from kg.store.releases import Releases


def build(project: Project, store: Path) -> Release | None:
    return publish(project, store, who="tests", message="", now=NOW)


def replace(file: Path, old: str, new: str) -> None:
    content = file.read_text()
    assert content.count(old) == 1, old
    file.write_text(content.replace(old, new))


def dump(store: Path) -> bytes:
    with EmbeddedStore(store, Settings()) as opened:
        return gzip.decompress(opened.dump(opened.release(), N_QUADS).read_bytes())


def test_the_same_input_gives_the_same_digest_and_dump(project: Project, tmp_path: Path) -> None:
    first, second = (build(project, tmp_path / name) for name in ("one", "two"))
    assert first and second
    assert first.digest == second.digest
    assert dump(tmp_path / "one") == dump(tmp_path / "two")


def test_a_build_that_changes_nothing_makes_no_release(project: Project, built: Path) -> None:
    assert build(project, built) is None
    assert len(Releases.open(built).all()) == 1


def test_undoing_a_change_gives_the_digest_before_it(
    project: Project, source: Path, built: Path
) -> None:
    before = Releases.open(built).head().digest
    replace(source, "value: 12\n", "value: 13\n")
    changed = build(project, built)
    replace(source, "value: 13\n", "value: 12\n")
    undone = build(project, built)
    assert changed and undone
    assert (changed.digest != before, undone.digest, undone.number) == (True, before, 3)


def test_graphs_are_those_of_the_model(built: Path) -> None:
    key = "d826bc1f151f0c3d"
    names = {state.iri.split("/graph/")[1] for state in Releases.open(built).head().graphs}
    article = {f"{kind}/{key}" for kind in ("claims", "provenance", "anchors", "derived")}
    findings = {"findings/W11", "findings/W12", "findings/independence"}
    assert names == article | findings | {"ontology", "codes", "entities"}


def test_rules_give_bounds_and_terminal_source(project: Project) -> None:
    claims = {graph.iri.split("/graph/")[1]: graph for graph in check(project).graphs()}
    triples = claims["claims/d826bc1f151f0c3d"].triples.decode()
    about = [line for line in triples.splitlines() if "/figure-112-140>" in line]
    least = [line for line in triples.splitlines() if "/figure-67-106>" in line]
    assert not any("/ns/lower>" in line or "/ns/upper>" in line for line in about)
    assert [line.split()[2] for line in least if "/ns/lower>" in line] == [
        '"40"^^<http://www.w3.org/2001/XMLSchema#decimal>'
    ]
    assert not any("/ns/upper>" in line for line in least)
    ends = [line for line in triples.splitlines() if "/ns/terminalSource>" in line]
    assert len(ends) == 3
    assert all("/org/harbour-guild>" in line for line in ends)


def test_a_violation_is_rejected_with_its_place_and_leaves_head(
    project: Project, source: Path, built: Path
) -> None:
    head = Releases.open(built).head().name
    replace(source, "    hedge: are said\n", "")
    line = source.read_text().splitlines().index("  - at: 112-140  # about 12 are said to be …")
    with pytest.raises(Rejected) as caught:
        build(project, built)
    (finding,) = caught.value.findings
    assert f"{source}:{line + 1}:5: Violation: " in finding
    assert Releases.open(built).head().name == head


def test_a_finding_on_a_property_has_the_place_of_its_key(project: Project, source: Path) -> None:
    replace(source, "modality: reported", "modality: bare")
    line = source.read_text().splitlines().index("    modality: bare") + 1
    places = [finding.place for finding in check(project).findings]
    assert [(place.line, place.key) for place in places if place] == [(line, "modality")]


def test_broken_shapes_are_refused_with_their_file(project: Project, built: Path) -> None:
    file = project.ontology / "shapes" / "block.ttl"
    file.write_text(file.read_text() + "rfsh:Block sh:property [ ")
    with pytest.raises(MalformedFile) as caught:
        build(project, built)
    assert caught.value.place
    assert caught.value.place.file == file


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("SELECT $this WHERE {", "SELEKT $this WHERE {", "Claim-chain-contiguous cannot be used"),
        ("sh:maxCount 1 ;", 'sh:maxCount "one" ;', "cannot be used"),
    ],
)
def test_a_broken_shape_is_refused_by_name(
    project: Project, old: str, new: str, problem: str
) -> None:
    file = project.ontology / "shapes" / "claim.ttl"
    content = file.read_text()
    start = content.index(
        "rfsh:Claim-chain-contiguous\n" if "SELECT" in old else "rfsh:Claim-kind\n"
    )
    file.write_text(content[:start] + content[start:].replace(old, new, 1))
    with pytest.raises(ShapesError, match=problem) as caught:
        check(project)
    assert caught.value.place
    assert caught.value.place.file == file


def test_a_broken_rule_is_refused_with_its_line(project: Project) -> None:
    rule = project.ontology / "rules" / "bounds.rq"
    replace(rule, "WHERE {", "WHERE { ?claim")
    with pytest.raises(RuleError) as caught:
        check(project)
    assert caught.value.place
    assert (caught.value.place.file, caught.value.place.line) == (rule, 9)


def test_a_rule_that_does_not_say_where_to_is_refused(project: Project) -> None:
    rule = project.ontology / "rules" / "bounds.rq"
    replace(rule, "# into: claims", "# into: nowhere")
    with pytest.raises(RuleError, match="where its triples go"):
        check(project)


def test_what_is_sensitive_is_in_no_public_dump(built: Path) -> None:
    public = dump(built)
    assert (b"harbour-guild" in public, b"Mira" in public, b"/person/" in public) == (
        True,
        False,
        False,
    )
