"""The gate: what would not land, or would land unchecked, is met by a check already."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from conftest import NOW
from kg.errors import KgError, MalformedFile, MissingFile, Rejected, RuleError, ShapesError
from kg.project import Project
from kg.publishing.publish import check, publish
from kg.publishing.sources import BadSources


def change(file: Path, old: str, new: str) -> None:
    content = file.read_text()
    assert content.count(old) == 1, old
    file.write_text(content.replace(old, new))


def test_the_same_project_in_two_folders_gives_the_same_graphs(
    project: Project, tmp_path: Path
) -> None:
    copy = Project.at(shutil.copytree(project.folder, tmp_path / "other" / "folder"))
    assert check(copy).graphs() == check(project).graphs()


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("<relative> a <http://x.example/> .", "No scheme found in an absolute IRI"),
        ("<http://[bad> a <http://x.example/> .", "Invalid character '\\[' in host"),
        ("<http://a b> a <http://x.example/> .", "Invalid IRI code point ' '"),
        ('<http://x.example/> a "unterminated', "Unexpected end of file"),
        ('<http://x.example/> a "\\ud800" .', "not a valid unicode character"),
    ],
)
@pytest.mark.parametrize("file", ["data/reference/areas.ttl", "ontology/shapes/block.ttl"])
def test_turtle_that_the_engine_refuses_is_refused_with_its_place(
    project: Project, statement: str, problem: str, file: str
) -> None:
    """A relative IRI would be resolved against the folder of the file, and leak its path."""
    turtle = project.folder / file
    lines = turtle.read_text().count("\n")
    turtle.write_text(turtle.read_text() + statement)
    with pytest.raises(MalformedFile, match=problem) as caught:
        check(project)
    assert caught.value.place
    assert (caught.value.place.file, caught.value.place.line) == (turtle, lines + 1)


def test_two_sources_of_one_article_are_refused_with_both_places(
    project: Project, source: Path
) -> None:
    copy = shutil.copytree(source.parent, project.articles / "second-copy") / "article.yaml"
    with pytest.raises(BadSources) as caught:
        check(project)
    (error,) = caught.value.errors
    assert error.place and error.place.file == copy
    assert f"is described by {source}:3:3 already" in error.message


@pytest.mark.parametrize("folder", ["ontology/shapes", "ontology/rules", "data/articles"])
def test_a_project_without_what_checks_it_is_refused(project: Project, folder: str) -> None:
    shutil.rmtree(project.folder / folder)
    with pytest.raises(MissingFile, match=folder):
        check(project)


@pytest.mark.parametrize("call", ["SERVICE <http://127.0.0.1:9/>", "SERVICE SILENT ?endpoint"])
def test_a_rule_calls_nobody(project: Project, call: str) -> None:
    rule = project.ontology / "rules" / "bounds.rq"
    change(rule, "WHERE {\n", f"WHERE {{\n  {call} {{ ?x ?y ?z }}\n")
    line = rule.read_text().split(call)[0].count("\n") + 1
    with pytest.raises(RuleError, match="would call another server") as caught:
        check(project)
    place = caught.value.place
    assert place and (place.file, place.line, place.column) == (rule, line, 3)


@pytest.mark.parametrize(
    "file",
    [
        "data/reference/areas.ttl",
        "data/articles/harbour-news/article.yaml",
        "ontology/rules/bounds.rq",
        "ontology/shapes/block.ttl",
        "ontology/context.jsonld",
    ],
)
@pytest.mark.parametrize("damage", ["a folder", "no UTF-8"])
def test_a_file_that_cannot_be_read_is_named(project: Project, file: str, damage: str) -> None:
    path = project.folder / file
    path.unlink()
    path.mkdir() if damage == "a folder" else path.write_bytes(b"\xff")
    with pytest.raises(MalformedFile) as caught:
        check(project)
    assert caught.value.place
    assert caught.value.place.file == path


def test_a_pattern_that_is_none_is_refused_with_its_shape(project: Project) -> None:
    file = project.ontology / "shapes" / "block.ttl"
    file.write_text(
        file.read_text() + "\nrfsh:Block sh:property [ sh:path rf:blockOrder ; sh:pattern '(' ] .\n"
    )
    with pytest.raises(ShapesError, match="unterminated subpattern"):
        check(project)


def test_findings_are_in_the_order_of_the_file(project: Project, source: Path) -> None:
    content = source.read_text().replace("modality: asserted", "modality: bare")
    source.write_text(content.replace("language: en", "language: en\n" + "  # more lines\n" * 80))
    lines = [each.place.line or 0 for each in check(project).findings if each.place]
    assert len(lines) > 1
    assert lines == sorted(lines)


def test_an_article_that_no_shape_would_look_at_is_not_published(
    project: Project, source: Path, tmp_path: Path
) -> None:
    content = source.read_text().replace("type: schema:NewsArticle", "type: not a type")
    source.write_text(content.replace("  title: Dozens of lamplighters quit Northland\n", ""))
    with pytest.raises(KgError):
        publish(project, tmp_path / "store", who="tests", message="", now=NOW)
    assert not (tmp_path / "store").exists()


def test_a_message_shows_the_first_findings_and_says_how_many_there_are() -> None:
    error = Rejected([f"finding {number}" for number in range(700)])
    lines = error.message.splitlines()
    assert (len(lines), lines[0]) == (502, "the gate found 700 violations; nothing was written")
    assert lines[-2:] == ["finding 499", "… and 200 more"]
    assert len(error.findings) == 700
