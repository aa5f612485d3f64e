"""Reading a source: what is wrong is said with its line and what to do, all of it at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg.context import Context
from kg.errors import KgError, MalformedFile
from kg.project import Project
from kg.publishing.publish import check
from kg.publishing.reading import read_article
from kg.publishing.sources import BadSources, parse_yaml
from kg.publishing.staging import _read_reference
from kg.publishing.texts import Text


def change(source: Path, old: str, new: str) -> int:
    """Replace what stands once in the source; the line, from 1, on which it stands."""
    content = source.read_text()
    assert content.count(old) == 1, old
    source.write_text(content.replace(old, new))
    return content[: content.index(old)].count("\n") + 1


def refusals(project: Project, *texts: Text) -> list[tuple[str, int | None, str]]:
    """The class, line and message of everything that is wrong with the sources."""
    with pytest.raises(BadSources) as caught:
        check(project, texts)
    return [
        (type(error).__name__, error.place.line if error.place else None, error.message)
        for error in caught.value.errors
    ]


def test_an_article_is_read_with_iris_from_digest_and_places(project: Project) -> None:
    context = Context.read(project.context)
    (source,) = project.sources()
    article = read_article(source, context, _read_reference(project).subjects)
    base = "https://w3id.org/reported-figures/a/d826bc1f151f0c3d"
    assert article.iri == base
    assert [claim.iri for claim in article.statements] == [
        f"{base}/c/figure-67-106",
        f"{base}/c/figure-112-140",
        f"{base}/c/figure-142-160",
    ]
    assert [block.iri for block in article.blocks] == [f"{base}/b/02"]
    assert [person.iri for person in article.sensitive] == [f"{base}/person/185-194"]
    assert f"{base}/c/figure-67-106/step/1" in [step.iri for step in article.provenance]


def test_malformed_yaml_is_refused_with_line_and_column(project: Project, source: Path) -> None:
    source.write_text("article:\n  title: [unclosed\n")
    with pytest.raises(MalformedFile, match="YAML") as caught:
        check(project)
    assert caught.value.place
    assert (caught.value.place.file, caught.value.place.line) == (source, 3)


def test_a_key_given_twice_is_malformed(project: Project, source: Path) -> None:
    line = change(source, "    value: 12\n", "    value: 12\n    value: 13\n")
    with pytest.raises(MalformedFile, match="duplicate key") as caught:
        check(project)
    assert caught.value.place
    assert caught.value.place.line == line + 1


def test_a_date_that_is_none_is_malformed(project: Project, source: Path) -> None:
    line = change(source, "published: 2020-02-29", "published: 2020-02-30")
    with pytest.raises(MalformedFile, match="day is out of range") as caught:
        check(project)
    assert caught.value.place
    assert caught.value.place.line == line


def test_an_unknown_key_is_refused_with_the_near_one(project: Project, source: Path) -> None:
    line = change(source, "qualifier: atLeast", "qualifer: atLeast")
    assert refusals(project) == [("UnknownKey", line, "unknown key 'qualifer'")]


def test_an_unknown_concept_is_refused_with_its_iri(project: Project, source: Path) -> None:
    line = change(source, "qualifier: atLeast", "qualifier: atleast")
    iri = "https://w3id.org/reported-figures/code/atleast"
    expected = ("UnknownConcept", line, f"qualifier names atleast, and nothing declares <{iri}>")
    assert refusals(project) == [expected]


def test_an_unknown_area_in_the_defaults_is_refused_once(project: Project, source: Path) -> None:
    line = change(source, "refArea: northland", "refArea: southland")
    iri = "https://w3id.org/reported-figures/area/southland"
    expected = ("UnknownConcept", line, f"refArea names southland, and nothing declares <{iri}>")
    assert refusals(project) == [expected]


def test_a_place_outside_the_text_is_refused(project: Project, source: Path) -> None:
    line = change(source, "at: 67-106 ", "at: 67-1060 ")
    message = "at is 67-1060, and the text has code points 0 to 258"
    assert refusals(project) == [("BadPlace", line, message)]


def test_a_reversed_place_is_refused(project: Project, source: Path) -> None:
    line = change(source, "at: 67-106 ", "at: 106-67 ")
    message = "at is 106-67, and the text has code points 0 to 258"
    assert refusals(project) == [("BadPlace", line, message)]


def test_a_place_without_digest_is_refused(project: Project, source: Path) -> None:
    line = change(source, "at: 67-106 ", "at: 67-105 ")
    assert refusals(project) == [("BadPlace", line, "digests has no entry for 67-105")]


def test_an_incipit_is_not_a_place_yet(project: Project, source: Path) -> None:
    line = change(source, "at: 67-106 ", "at: {incipit: at least} ")
    message = "at is not placed yet: it is given by its incipit"
    assert refusals(project) == [("BadPlace", line, message)]


def test_a_digest_that_is_not_of_the_words_is_refused(
    project: Project, source: Path, text: Text
) -> None:
    line = change(source, "67-106: 9100", "67-106: 0100")
    ((kind, where, message),) = refusals(project, text)
    assert (kind, where) == ("DigestMismatch", line)
    assert message.startswith("the digest of the words 67-106 is 010019")


def test_a_text_that_no_article_has_is_refused(project: Project, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("Something else.\n")
    ((kind, _, message),) = refusals(project, Text.read(other))
    assert (kind, str(other) in message) == ("UnmatchedText", True)


def test_two_claims_of_one_kind_on_one_anchor_are_refused(project: Project, source: Path) -> None:
    first = source.read_text().split("at: 67-106 ")[0].count("\n") + 1
    line = change(source, "at: 142-160 ", "at: 67-106 ")
    ((kind, where, message),) = refusals(project)
    assert (kind, where) == ("DuplicateClaim", line)
    assert f"at line {first} " in message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("value: 12\n", "value: twelve\n", "value is 'twelve'"),
        ("published: 2020-02-29", "published: lately", "published is 'lately'"),
        ("- order: 2", "- order: second", "order is 'second'"),
        ("at: 112-140 ", "at: here ", "at is 'here'"),
        ("chain: the-guild", "chain: 7", "chain is 7"),
    ],
)
def test_a_value_of_another_kind_is_refused(
    project: Project, source: Path, old: str, new: str, message: str
) -> None:
    line = change(source, old, new)
    assert refusals(project)[0] == ("BadValue", line, message)


def test_a_chain_that_is_not_defined_is_refused(project: Project, source: Path) -> None:
    line = change(source, "chain: the-guild", "chain: the-gild")
    assert refusals(project) == [("UnknownKey", line, "unknown key 'the-gild'")]


def test_a_section_that_is_none_is_refused(project: Project, source: Path) -> None:
    source.write_text(source.read_text() + "claimes: []\n")
    assert [kind for kind, _, _ in refusals(project)] == ["UnknownKey"]


def test_everything_that_is_wrong_is_said_at_once(project: Project, source: Path) -> None:
    first = change(source, "qualifier: atLeast", "qualifier: nowhere")
    second = change(source, "modality: reported", "modality: nowhere")
    assert [line for _, line, _ in refusals(project)] == [first, second]


def test_a_missing_source_of_the_project_is_named(project: Project) -> None:
    project.context.unlink()
    with pytest.raises(KgError, match=r"context\.jsonld is not there"):
        check(project)


def test_a_label_that_two_parts_have_names_neither(project: Project, source: Path) -> None:
    change(source, "- at: 67-106 ", "- label: same\n    at: 67-106 ")
    change(source, "- at: 112-140 ", "- label: same\n    at: 112-140 ")
    change(source, "- at: 142-160 ", '- revises: "#same"\n    at: 142-160 ')
    assert [(kind, message) for kind, _, message in refusals(project)] == [
        ("BadValue", "revises is '#same'")
    ]


def test_null_takes_an_inherited_key_away(project: Project, source: Path) -> None:
    change(source, "    value: 12\n", "    value: 12\n    refTime: null\n")
    (finding,) = check(project).findings
    assert (finding.path.rsplit("/", 1)[1], finding.component) == ("refTime", "MinCount")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("bomb", ["article: *a11\n", "article:\n  textDigest: *a11\n"])
def test_aliases_that_unfold_without_end_are_refused(source: Path, bomb: str) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]\n"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)]
    with pytest.raises(MalformedFile, match="aliases unfold to too many values"):
        parse_yaml(source, "".join(lines) + bomb)
