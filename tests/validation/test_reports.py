"""Reports in each format: complete, well-formed, and safe whatever the data holds."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from fluidattacks_core.sarif import SarifLog
from rdflib import RDF, SH, Graph, Literal

from kg.errors import Place
from kg.validation.conformance import Shapes
from kg.validation.report import Finding, finding_of_audit
from kg.validation.reports.formats import WRITERS
from kg.validation.reports.html import POLICY
from kg.validation.reports.report import Report, Unit
from kg.validation.reports.text import text

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "end of a script": "</script><img src=x onerror=alert(1)>",
    "attribute": "\" onmouseover='alert(1)' x=\"",
    "colour": "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "C1": "\x9b31mred",
    "direction": "a\u202eb\u2066c\u200f",
    "new line": "a\r\nb\u2028c\x00d\x0bd",
    "end of CDATA": "]]> & &amp; <![CDATA[",
    "Turtle": '" . <http://evil> a <http://evil> . \\',
    "SARIF": "{0} [link](http://evil) {{",
    "long": "x" * 10_000,
    "not a character": "\ufffe\U0001ffff",
}
FILE = Place(Path("/here/data/article.yaml"), 3, 5, "modality")
CAUSE = Finding("Violation", "http://ex/b", "-", "Class", "It is no thing.", branch="1 of 2: that")
FINDING = Finding(
    severity="Violation",
    focus_node="http://ex/a",
    path="http://ex/p",
    component="Or",
    message="It is neither.",
    value="12",
    place=FILE,
    shape="http://ex/Shape",
    source_component=str(SH.OrConstraintComponent),
    focus_term="<http://ex/a>",
    value_term='"12"^^<http://www.w3.org/2001/XMLSchema#integer>',
    causes=(CAUSE,),
)


def _report(*findings: Finding, **parts: Any) -> Report:
    return Report(
        findings=findings,
        prefixes={"ex": "http://ex/"},
        root=Path("/here"),
        excerpts={FILE: "    modality: bare"},
        **parts,
    )


def _hostile(words: str) -> Finding:
    return replace(
        FINDING,
        message=words,
        value=words,
        value_term="",
        focus_node=words,
        focus_term="",
        component=words,
        severity=words,
        path=words,
        causes=(replace(CAUSE, message=words, branch=words),),
        related=(words,),
        place=Place(Path("/here") / words.replace("\0", "")[:200], 1, 1, None),
    )


# --- text ---------------------------------------------------------------------------------


def test_text_is_like_that_of_a_compiler() -> None:
    assert text(_report(FINDING)) == (
        "data/article.yaml: 1 finding\n"
        "data/article.yaml:3:5: Violation: It is neither.\n"
        "    3 |     modality: bare\n"
        "      |     ^^^^^^^^\n"
        "  at ex:a ex:p, value 12 (Or)\n"
        "    because 1 of 2: that: It is no thing. [ex:b]\n"
        "\n"
        "1 violation\n"
    )


def test_text_has_colours_only_where_they_are_asked_for() -> None:
    assert "\x1b[" not in text(_report(FINDING))
    assert "\x1b[31;1mViolation: \x1b[0m" in text(_report(FINDING), colour=True)


def test_the_caret_stands_below_its_key_whatever_stands_before() -> None:
    place = Place(Path("/here/x"), 1, 6, "key")
    report = replace(_report(replace(FINDING, place=place)), excerpts={place: "a\u202eb: key: v"})
    line, caret = text(report).splitlines()[2:4]
    assert line.index("key") == caret.index("^^^")


# --- JSON, SHACL, SARIF, JUnit --------------------------------------------------------------


def test_json_has_all_parts_of_a_finding() -> None:
    document = json.loads(WRITERS["json"](_report(FINDING, release="1-x")))
    assert (document["conforms"], document["total"], document["release"]) == (False, 1, "1-x")
    assert document["counts"] == {"Violation": 1, "Warning": 0, "Info": 0}
    assert document["findings"] == [
        {
            "severity": "Violation",
            "message": "It is neither.",
            "focusNode": "http://ex/a",
            "path": "ex:p",
            "value": "12",
            "valueType": {
                "type": "literal",
                "datatype": "http://www.w3.org/2001/XMLSchema#integer",
            },
            "component": "Or",
            "shape": "http://ex/Shape",
            "place": {"file": "data/article.yaml", "line": 3, "column": 5, "key": "modality"},
            "causes": [
                {
                    "severity": "Violation",
                    "message": "It is no thing.",
                    "focusNode": "http://ex/b",
                    "component": "Class",
                    "branch": "1 of 2: that",
                }
            ],
        }
    ]


VOCABULARY = Shapes(
    Graph().parse(
        data="""
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
<urn:Report> sh:targetClass sh:ValidationReport ;
    sh:property [ sh:path sh:conforms ; sh:minCount 1 ; sh:maxCount 1 ; sh:datatype xsd:boolean ] ;
    sh:property [ sh:path sh:result ; sh:class sh:ValidationResult ] .
<urn:Result> sh:targetClass sh:ValidationResult ; sh:closed true ;
    sh:ignoredProperties ( <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> ) ;
    sh:property [ sh:path sh:focusNode ; sh:minCount 1 ; sh:maxCount 1 ] ;
    sh:property [ sh:path sh:resultPath ; sh:maxCount 1 ; sh:nodeKind sh:BlankNodeOrIRI ] ;
    sh:property [ sh:path sh:value ; sh:maxCount 1 ] ;
    sh:property [ sh:path sh:sourceShape ; sh:maxCount 1 ; sh:nodeKind sh:IRI ] ;
    sh:property [ sh:path sh:sourceConstraint ; sh:maxCount 1 ; sh:nodeKind sh:IRI ] ;
    sh:property [ sh:path sh:sourceConstraintComponent ; sh:minCount 1 ; sh:maxCount 1 ;
        sh:nodeKind sh:IRI ] ;
    sh:property [ sh:path sh:detail ; sh:class sh:ValidationResult ] ;
    sh:property [ sh:path sh:resultMessage ; sh:or ( [ sh:datatype xsd:string ] ) ] ;
    sh:property [ sh:path sh:resultSeverity ; sh:minCount 1 ; sh:maxCount 1 ] .
""",
        format="turtle",
    )
)
"""What SHACL 1.0 says of reports, section 3.6."""


def _shacl(report: Report) -> Graph:
    graph = Graph().parse(data=WRITERS["turtle"](report), format="turtle")
    assert [each.line({}) for each in VOCABULARY.findings(graph)] == []
    return graph


def test_the_shacl_report_is_one_by_the_standard() -> None:
    audit = finding_of_audit("W1", "Warning", "contradict", "No.", ["http://ex/c"])
    graph = _shacl(_report(FINDING, audit))
    assert len(list(graph.subjects(RDF.type, SH.ValidationResult))) == 3
    assert set(graph.objects(None, SH.value)) == {Literal(12), Literal("contradict")}


def test_an_empty_shacl_report_conforms_and_one_with_a_warning_does_not() -> None:
    """SHACL 1.0, 3.6.1.1: no result of any severity; `conforms` of ours counts violations."""
    warning = replace(FINDING, severity="Warning")
    for findings, expected in (((), True), ((warning,), False)):
        graph = _shacl(_report(*findings))
        assert [bool(each) for each in graph.objects(None, SH.conforms)] == [expected]
        assert json.loads(WRITERS["json"](_report(*findings)))["conforms"] is True


def _sarif(report: Report) -> dict[str, Any]:
    written = WRITERS["sarif"](report)
    SarifLog.model_validate_json(written, strict=True)
    (run,) = json.loads(written)["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(rules) == len(set(rules))
    assert all(rules[each["ruleIndex"]] == each["ruleId"] for each in run["results"])
    return dict(run)


def test_sarif_is_that_of_its_schema_and_has_the_place() -> None:
    (result,) = _sarif(_report(FINDING))["results"]
    assert (result["level"], result["ruleId"]) == ("error", "ex:Shape")
    assert result["message"]["text"] == "It is neither.\n  1 of 2: that: It is no thing."
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "data/article.yaml", "uriBaseId": "PROJECT"},
        "region": {
            "startLine": 3,
            "startColumn": 5,
            "endColumn": 13,
            "snippet": {"text": "    modality: bare"},
        },
    }


def test_words_of_others_are_neither_a_link_nor_a_placeholder_in_sarif() -> None:
    finding = replace(FINDING, message="{0} [here](http://evil) \\", causes=())
    (result,) = _sarif(_report(finding))["results"]
    assert result["message"]["text"] == "{{0}} \\[here\\](http://evil) \\\\"


def test_the_schema_of_sarif_notices_a_wrong_member() -> None:
    wrong = WRITERS["sarif"](_report(FINDING)).replace('"startLine"', '"beginLine"')
    with pytest.raises(ValueError, match="beginLine"):
        SarifLog.model_validate_json(wrong, strict=True)


def test_a_fingerprint_stays_where_a_finding_moves_to_another_line() -> None:
    moved = replace(FINDING, place=replace(FILE, line=9))
    results = [_sarif(_report(each))["results"][0] for each in (FINDING, moved)]
    assert results[0]["partialFingerprints"] == results[1]["partialFingerprints"]


def _xml(written: str) -> ElementTree.Element:
    return ElementTree.fromstring(written)  # noqa: S314 - we wrote it


def test_junit_has_a_case_for_each_thing_checked_and_fails_for_violations() -> None:
    checked = [Unit("articles", "data/article.yaml"), Unit("articles", "data/other.yaml")]
    warning = replace(FINDING, severity="Warning", place=replace(FILE, file=Path("/here/third")))
    root = _xml(WRITERS["junit"](_report(FINDING, warning, checked=checked)))
    assert root.attrib == {"name": "kg check", "tests": "3", "failures": "1", "errors": "0"}
    cases = [(case.get("name"), [child.tag for child in case]) for case in root.iter("testcase")]
    assert cases == [
        ("data/article.yaml", ["failure"]),
        ("data/other.yaml", []),
        ("third", ["system-out"]),
    ]
    (failure,) = root.iter("failure")
    assert failure.get("message") == "1 violation: It is neither."


# --- HTML ---------------------------------------------------------------------------------


class _Page(HTMLParser):
    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_groups_by_article_and_by_shape_and_needs_no_network() -> None:
    page = _Page(WRITERS["html"](_report(FINDING)))
    assert "By article" in page.text and "By shape" in page.text
    assert ("id", "f1") in page.attributes and ("href", "#f1") in page.attributes
    assert {"src", "srcset", "action"}.isdisjoint(name for name, _ in page.attributes)
    assert "link" not in page.tags and "because" not in page.tags


def test_the_policy_of_the_page_lets_its_own_script_run_and_no_other() -> None:
    assert "unsafe-inline" not in POLICY
    assert len(re.findall("'sha256-", POLICY)) == 2
    assert f'content="{POLICY}"'.replace("'", "&#x27;") in WRITERS["html"](_report(FINDING))


# --- hostile data, and much of it -----------------------------------------------------------


@pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("format", WRITERS)
def test_hostile_words_break_no_format(format: str, words: str) -> None:
    report = _report(_hostile(words), checked=[Unit(words, words)])
    written = WRITERS[format](report)
    if format == "html":
        page, plain = _Page(written), _Page(WRITERS[format](_report(FINDING)))
        assert page.tags.count("script") == 1 and set(page.tags) <= {*plain.tags, "p"}
        assert not any(name.startswith("on") for name, _ in page.attributes)
    elif format == "junit":
        assert _xml(written).find(".//failure") is None
    elif format == "turtle":
        results = _shacl(replace(report, findings=[replace(_hostile(words), severity="Info")]))
        messages = {str(each) for each in results.objects(None, SH.resultMessage)}
        assert messages == {words}
    elif format == "sarif":
        _sarif(report)
    elif format == "json":
        assert json.loads(written)["findings"][0]["message"] == words
    if format in ("text", "html", "junit"):
        kinds = ("Cc", "Cf", "Zl", "Zp")
        assert {each for each in written if unicodedata.category(each) in kinds} <= {"\n"}
        assert len(written) < 40_000


@pytest.mark.parametrize("format", WRITERS)
def test_two_thousand_findings_are_all_there_or_counted(format: str) -> None:
    findings = [replace(FINDING, focus_node=f"http://ex/{number}") for number in range(2000)]
    written = WRITERS[format](_report(*findings))
    if format == "text":
        assert "showing 500 of 2,000 findings\n2000 violations\n" in written
        assert written.count("  at ex:") == 500
    elif format == "html":
        assert "Showing 500 of 2,000 findings." in written
        assert written.count("<li id=") == 500
    elif format == "junit":
        assert "2,000 violations" in written and "showing 200 of 2,000 findings" in written
    elif format == "turtle":
        assert written.count("sh:focusNode <http://ex/a>") == 2000
    elif format == "sarif":
        assert len(_sarif(_report(*findings))["results"]) == 2000
    else:
        assert len(json.loads(written)["findings"]) == json.loads(written)["total"] == 2000


def test_the_same_findings_give_the_same_bytes() -> None:
    for write in WRITERS.values():
        assert write(_report(FINDING)) == write(_report(FINDING))
