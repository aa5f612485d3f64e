"""The HTTP requests that a manifest describes, sent one after the other, each reply checked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pyoxigraph import QueryResultsFormat, RdfFormat, parse

from kg_server import Reply, Server
from w3c.manifests import Resource, W3cTest
from w3c.results import read_csv, read_results, same_dataset

_PLACES: Final = (("/sparql/", "/sparql"), ("/gsp", "/graphs"))
"""Where the suite has an endpoint, and where ours is."""
_STATUSES: Final = {
    "OK": r"200",
    "Created": r"201",
    "NoContent": r"204",
    "NotFound": r"404",
    "StatusCode2xx": r"2\d\d",
    "StatusCode3xx": r"3\d\d",
    "StatusCode4xx": r"4\d\d",
}
_TABLES: Final = {
    "application/sparql-results+json": QueryResultsFormat.JSON,
    "application/sparql-results+xml": QueryResultsFormat.XML,
    "text/tab-separated-values": QueryResultsFormat.TSV,
}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, and what the suite says of the reply."""

    described: Resource

    def sent(self, server: Server, known: Mapping[str, str]) -> Reply:
        """The reply; `known` are the values of template variables met before."""
        headers = _headers(self.described)
        body = self.described.maybe("ht:body")
        return server.send(
            _filled(self._path, known),
            method=self.described.one("ht:methodName").text,
            body=_filled(_text(body), known).encode(_encoding(body)) if body else None,
            headers=headers,
        )

    @property
    def _path(self) -> str:
        path = self.described.one("ht:absolutePath").text
        theirs, ours = next(place for place in _PLACES if path.startswith(place[0]))
        return ours + path.removeprefix(theirs)

    @property
    def expected(self) -> Resource:
        """What the suite says of the reply."""
        return self.described.one("ht:resp")


def run(server: Server, test: W3cTest) -> None:
    """Every exchange of a test goes as the manifest says."""
    known: dict[str, str] = {}
    for exchange in _exchanges(test):
        reply = exchange.sent(server, known)
        _check_status(reply, exchange.expected)
        _check_result(reply, exchange.expected)
        _check_graph(reply, exchange.expected)
        for variable in exchange.expected.all("mf:expectedLocation"):
            known[variable.text] = reply.headers["location"]


def _exchanges(test: W3cTest) -> Iterator[Exchange]:
    for request in test.entry.one("mf:action").one("ht:requests").items():
        yield Exchange(request)


def _filled(text: str, known: Mapping[str, str]) -> str:
    for variable, value in known.items():
        text = text.replace(variable, value)
    return text


def _headers(message: Resource) -> dict[str, str]:
    """The fields by their lower-case names."""
    listed = [field for fields in message.all("ht:headers") for field in fields.items()]
    return {
        field.one("ht:fieldName").text.lower(): field.one("ht:fieldValue").text for field in listed
    }


def _text(body: Resource) -> str:
    return body.one("cnt:chars").text


def _encoding(body: Resource) -> str:
    return body.one("cnt:characterEncoding").text


def _check_status(reply: Reply, expected: Resource) -> None:
    patterns = [_STATUSES[status.local] for status in expected.all("mf:expectedStatus")]
    assert re.fullmatch("|".join(patterns), str(reply.status)), (patterns, reply)


def _check_result(reply: Reply, expected: Resource) -> None:
    """The kind of the answer, and the boolean, where the manifest tells one."""
    kind = reply.headers.get("content-type", "").partition(";")[0]
    match expected.all("mf:expectedFormat"):
        case [form] if form.text == "RDF":
            assert list(parse(reply.body, RdfFormat.from_media_type(kind))) is not None
        case [form] if form.text == "tabular" and kind == "text/csv":
            assert read_csv(reply.body).rows
        case [form]:
            result = read_results(reply.body, _TABLES[kind])
            assert isinstance(result, bool) == (form.text == "boolean")
            for boolean in expected.all("mf:expectedBoolean"):
                assert result == (boolean.text == "true")


def _check_graph(reply: Reply, expected: Resource) -> None:
    """The media type and the graph, where the manifest tells one."""
    wanted = _headers(expected).get("content-type")
    if wanted is None:
        return
    assert reply.headers["content-type"].lower() == wanted.lower()
    for body in expected.all("ht:body"):
        kind = RdfFormat.from_media_type(wanted.partition(";")[0])
        assert same_dataset(parse(_text(body), kind), parse(reply.body, kind)), reply.body
