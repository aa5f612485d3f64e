"""`POST /validate`: a report on data that is not written, by whoever asks."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from fluidattacks_core.sarif import SarifLog
from rdflib import SH, Graph

from conftest import FIXTURES
from kg.media import REPORT_FORMATS
from kg.store.releases import Releases
from kg_server import Reply
from web.writable import CLAIM, TURTLE, Writable, writable_server

SOURCE = (FIXTURES / "project/data/articles/harbour-news/article.yaml").read_text()
YAML = "application/yaml"
PLAIN = "@prefix ex: <http://ex/> .\nex:a ex:b ex:c ."


def _validate(
    writable: Writable,
    body: str | bytes,
    kind: str | None = TURTLE,
    accept: str = "*/*",
    at: str = "",
) -> Reply:
    content = body.encode() if isinstance(body, str) else body
    fields = {"Accept": accept} | ({"Content-Type": kind} if kind else {})
    return writable.server.send(f"/validate{at}", method="POST", body=content, headers=fields)


def _report(reply: Reply) -> dict[str, Any]:
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json"), reply.body
    report: dict[str, Any] = json.loads(reply.body)
    assert reply.headers["kg-conforms"] == str(report["conforms"]).lower()
    return report


def test_data_that_no_shape_minds_conforms(writable: Writable) -> None:
    reply = _validate(writable, PLAIN)
    report = _report(reply)
    assert (report["conforms"], report["findings"]) == (True, [])
    assert reply.headers["kg-release"] == report["release"] == writable.release()
    assert reply.headers["cache-control"] == "no-store"


def test_data_that_does_not_conform_is_answered_with_200_and_says_where(writable: Writable) -> None:
    body = "# A claim.\n@prefix ex: <http://ex/> .\n" + CLAIM.decode().replace(
        "<http://ex/claim>", "ex:c"
    )
    report = _report(_validate(writable, body))
    assert report["conforms"] is False
    assert {each["place"]["line"] for each in report["findings"]} == {3}
    assert {each["focusNode"] for each in report["findings"]} == {"http://ex/c"}


def test_nothing_is_written_and_no_token_is_needed(writable: Writable) -> None:
    before = writable.release()
    assert _validate(writable, PLAIN).status == 200
    assert writable.release() == before
    assert not writable.ask("<http://ex/a> ?p ?o")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/turtle", CLAIM),
        (
            "application/n-triples",
            CLAIM.replace(b" a ", b" <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> "),
        ),
        (
            "application/rdf+xml",
            b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
            b' xmlns:f="https://w3id.org/reported-figures/ns/">'
            b'<f:FigureClaim r:about="http://ex/claim"/></r:RDF>',
        ),
        (
            "application/ld+json",
            b'{"@id": "http://ex/claim",'
            b' "@type": "https://w3id.org/reported-figures/ns/FigureClaim"}',
        ),
    ],
)
def test_every_format_of_a_graph_is_taken_and_found_alike(
    writable: Writable, kind: str, body: bytes
) -> None:
    found = _report(_validate(writable, body, kind))["findings"]
    expected = _report(_validate(writable, CLAIM))["findings"]
    assert [(each["path"], each["component"]) for each in found] == [
        (each["path"], each["component"]) for each in expected
    ]


@pytest.mark.parametrize("kind", [YAML, "application/ld+yaml"])
def test_the_source_of_an_article_conforms_as_its_build_does(writable: Writable, kind: str) -> None:
    """It is held already, and is checked as if it stood in the place of what is held."""
    assert _report(_validate(writable, SOURCE, kind))["findings"] == []


def test_a_finding_in_a_source_has_line_column_and_key_and_its_cause(writable: Writable) -> None:
    report = _report(
        _validate(writable, SOURCE.replace("qualifier: about", "qualifier: count"), YAML)
    )
    (finding,) = report["findings"]
    line = SOURCE.split("qualifier: about")[0].count("\n") + 1
    assert finding["place"] == {"file": "body", "line": line, "column": 5, "key": "qualifier"}
    (cause,) = finding["causes"]
    assert (cause["path"], cause["component"]) == ("skos:inScheme", "HasValue")


def test_a_title_changed_is_checked_without_the_title_that_is_held(writable: Writable) -> None:
    """Both together would be two titles, which a shape forbids."""
    changed = SOURCE.replace("title: Dozens", "title: Scores")
    assert _report(_validate(writable, changed, YAML))["conforms"] is True


def test_a_source_with_an_unknown_key_is_a_finding(writable: Writable) -> None:
    report = _report(
        _validate(writable, SOURCE.replace("qualifier: about", "qualifer: about"), YAML)
    )
    (finding,) = report["findings"]
    assert finding["component"] == "UnknownKey"
    assert finding["message"] == "unknown key 'qualifer'. Did you mean qualifier?"


@pytest.mark.parametrize(
    ("kind", "body", "line"),
    [
        (TURTLE, b"<http://ex/a> a\n <http://ex/", 2),
        (YAML, b"article: {\n", None),
        (YAML, b"a: 1\n\xff", 2),
        (TURTLE, b"\xff", 1),
    ],
)
def test_what_is_not_of_its_format_is_refused_with_its_place(
    writable: Writable, kind: str, body: bytes, line: int | None
) -> None:
    problem = _validate(writable, body, kind).problem
    assert (problem["status"], problem["type"].rpartition("/")[2]) == (400, "malformed-data")
    assert line is None or problem["line"] == line


@pytest.mark.parametrize(("method", "path"), [("POST", "/validate"), ("PUT", "/graphs/deep")])
def test_json_that_nests_too_deep_is_refused_at_once(
    writable: Writable, method: str, path: str
) -> None:
    """The engine took 15 s and 4 GiB to end on it."""
    kind = "application/ld+json"
    body = '{"http://ex/p":' * 20_000 + "1" + "}" * 20_000
    assert writable.send(method, path, "{}", kind).status in (200, 201, 204)  # it has started
    begun = time.monotonic()
    problem = writable.send(method, path, body, kind).problem
    assert time.monotonic() - begun < 1
    assert (problem["status"], problem["line"], problem["column"]) == (400, 1, 200 * 15 + 1)
    assert "nest 20000 levels deep, and may nest 200" in problem["detail"]
    assert "Give the inner nodes an @id" in problem["remedy"]


@pytest.mark.parametrize(
    ("kind", "accept", "status"),
    [
        ("application/pdf", "*/*", 415),
        (None, "*/*", 415),
        ("text/turtle; charset=latin-1", "*/*", 415),
        (TURTLE, "image/png", 406),
        ("application/x-www-form-urlencoded", "*/*", 415),
    ],
)
def test_what_is_not_offered_is_refused(
    writable: Writable, kind: str | None, accept: str, status: int
) -> None:
    assert _validate(writable, PLAIN, kind, accept).status == status


def test_get_is_not_offered(writable: Writable) -> None:
    reply = writable.server.send("/validate")
    allowed = set(reply.headers["allow"].split(", "))
    assert (reply.status, allowed) == (405, {"POST", "OPTIONS"})


# --- formats ------------------------------------------------------------------------------


def _does_not_conform(body: bytes, format: str) -> bool:
    """Whether the body is a SHACL report that says so."""
    (conforms,) = Graph().parse(data=body, format=format).objects(None, SH.conforms)
    return str(conforms) == "false"


@pytest.mark.parametrize("format", REPORT_FORMATS, ids=lambda format: format.name)
@pytest.mark.parametrize("by", ["Accept", "format"])
def test_the_report_comes_in_each_format(writable: Writable, format: Any, by: str) -> None:
    if by == "Accept":
        reply = _validate(writable, CLAIM, accept=format.media_type)
    else:
        reply = _validate(writable, CLAIM, at=f"?format={format.name}")
    assert (reply.status, reply.headers["content-type"]) == (200, format.content_type)
    assert (reply.headers["kg-conforms"], reply.headers["vary"]) == ("false", "Accept")
    checks: dict[str, Callable[[bytes], object]] = {
        "turtle": lambda body: _does_not_conform(body, "turtle"),
        "ntriples": lambda body: _does_not_conform(body, "nt"),
        "sarif": lambda body: SarifLog.model_validate_json(body, strict=True),
        "junit": lambda body: ElementTree.fromstring(body).find(".//failure") is not None,  # noqa: S314
        "html": lambda body: b"<h1>It does not conform: " in body,
        "text": lambda body: b"(MinCount)" in body,
        "json": lambda body: json.loads(body)["findings"],
    }
    assert checks[format.name](reply.body)


def test_the_page_may_run_its_own_script_alone(writable: Writable) -> None:
    policy = _validate(writable, CLAIM, accept="text/html").headers["content-security-policy"]
    assert "script-src 'sha256-" in policy and "unsafe" not in policy


def test_words_of_the_data_are_no_page_and_no_colour(writable: Writable) -> None:
    body = SOURCE.replace("qualifier: about", 'qualifier: "<script>\u202e"')
    for accept in ("text/html", "text/plain"):
        reply = _validate(writable, body, YAML, accept)
        assert reply.status == 200
        assert "\u202e" not in reply.body.decode()
        assert b"<script>\\u" not in reply.body or accept == "text/plain"


# --- bounds -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bounded(_built_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writable]:
    folder = shutil.copytree(_built_once, tmp_path_factory.mktemp("bounded") / "store")
    with writable_server(
        folder, folder.parent / "log", workers=1, deadline=4.0, body_bytes=300_000, client_rate=12
    ) as server:
        yield server


def test_a_body_that_is_too_large_is_refused_whoever_sends_it(bounded: Writable) -> None:
    body = b"#" * 300_001
    assert _validate(bounded, body).status == 413
    assert bounded.send("POST", "/validate", body).status == 413


def test_what_takes_too_long_is_ended_and_the_next_is_answered(bounded: Writable) -> None:
    body = "".join(
        f"<http://ex/{n}> a <https://w3id.org/reported-figures/ns/Claim> .\n" for n in range(4000)
    )
    begun = time.monotonic()
    problem = _validate(bounded, body).problem
    assert (problem["status"], problem["limit"]) == (503, 4.0)
    assert "validation" in problem["detail"]
    assert time.monotonic() - begun < 15
    assert _validate(bounded, PLAIN).status == 200


def test_a_bomb_of_aliases_ends_its_process_and_nothing_else(bounded: Writable) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    body = SOURCE.replace("blocks:\n", "\n".join(lines) + "\nblocks:\n", 1)
    assert _validate(bounded, body, YAML).status in (200, 400, 503)
    assert _validate(bounded, PLAIN).status == 200


def test_a_write_need_not_wait_for_a_validation(bounded: Writable) -> None:
    body = "".join(
        f"<http://ex/{n}> a <https://w3id.org/reported-figures/ns/Claim> .\n" for n in range(4000)
    )
    checking = threading.Thread(target=_validate, args=(bounded, body))
    checking.start()
    try:
        time.sleep(0.3)
        begun = time.monotonic()
        assert bounded.put("/graphs/beside", PLAIN).status == 201
        assert checking.is_alive() or time.monotonic() - begun < 3
    finally:
        checking.join()


def test_too_many_of_one_address_are_told_to_wait(bounded: Writable) -> None:
    statuses = {_validate(bounded, PLAIN).status for _ in range(14)}
    assert 429 in statuses


# --- head ---------------------------------------------------------------------------------


def test_the_shapes_are_those_of_head(writable: Writable, tmp_path: Path) -> None:
    """The validator keeps what it has read for as long as HEAD carries the same."""
    assert _report(_validate(writable, PLAIN))["shapesDigest"] == (
        Releases.open(writable.folder).head().shapes_digest
    )
    writable.put("/graphs/validated-head", "<http://ex/x> <http://ex/y> 1 .")
    assert _report(_validate(writable, PLAIN))["release"] == writable.release()


def test_the_service_describes_where_data_is_validated(writable: Writable) -> None:
    reply = writable.server.send("/sparql", headers={"Accept": "text/turtle"})
    assert f"<http://127.0.0.1:{writable.server.port}/validate>".encode() in reply.body


def test_the_same_data_gets_the_same_report_to_the_byte(writable: Writable) -> None:
    for format in REPORT_FORMATS:
        first, second = (_validate(writable, CLAIM, at=f"?format={format.name}") for _ in range(2))
        assert first.body == second.body
