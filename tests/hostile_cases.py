"""What hostile clients send, each with what they may be answered."""

from __future__ import annotations

import gzip
from typing import Final

from raw_http import request

MIB: Final = 1024 * 1024
QUERY_BYTES: Final = 2 * MIB
BODY_BYTES: Final = 3 * MIB
DIRECT: Final = "Content-Type: application/sparql-query"

# --- queries ------------------------------------------------------------------------------

ALL = "?s ?p ?o"
CROSS = "?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l"
ENDLESS = f"SELECT (COUNT(*) AS ?n) WHERE {{ {CROSS} }}"
DEEP = 20_000


def _doubled(
    expression: str, start: str, *, times: int = 40, of: str = "(STRLEN(?v40) AS ?n)"
) -> str:
    """Each value made of the one before by the expression of `?v`."""
    steps = (f"BIND({expression.replace('?v', f'?v{n}')} AS ?v{n + 1})" for n in range(times))
    return f'SELECT {of} {{ BIND("{start}" AS ?v0) {" ".join(steps)} }}'


TOO_DEEP = {(400, "Query too deep")}
TOO_SLOW = {(503, "Deadline exceeded")}
TOO_MUCH = {(503, "Memory exceeded")}
ENDED = {(503, "Worker died")}
LARGE = {(422, "Answer too large")}
FINE = {(200, "")}
LIMITED = TOO_SLOW | TOO_MUCH

QUERIES: list[tuple[str, str, set[tuple[int, str]]]] = [
    ("20,000 groups", "ASK " + "{" * DEEP + "}" * DEEP, TOO_DEEP),
    ("20,000 groups that never close", "ASK " + "{" * DEEP, TOO_DEEP),
    ("20,000 parentheses", f"SELECT ({'(' * DEEP}1{')' * DEEP} AS ?x) {{}}", TOO_DEEP),
    ("20,000 brackets", f"ASK {{ {'[ ?p ' * DEEP} ?o {']' * DEEP} }}", TOO_DEEP),
    ("20,000 lists", f"ASK {{ ?s ?p {'(' * DEEP}{')' * DEEP} }}", TOO_DEEP),
    (
        "20,000 nested sub-selects",
        "SELECT * { " + "{ SELECT * { " * DEEP + "} } " * DEEP + "}",
        TOO_DEEP,
    ),
    ("20,000 nots", f"ASK {{ FILTER({'!' * DEEP}true) }}", FINE | ENDED),
    ("20,000 signs", f"SELECT ({'- ' * DEEP}1 AS ?x) {{}}", FINE | ENDED | {(400, "Query syntax")}),
    ("20,000 sums", f"SELECT (1{' + 1' * DEEP} AS ?x) {{}}", FINE | ENDED),
    ("20,000 alternatives", f"ASK {{ FILTER(true{' || true' * DEEP}) }}", FINE | ENDED),
    ("20,000 unions", "ASK { {}" + " UNION {}" * DEEP + " }", ENDED),
    ("20,000 unions of patterns", f"ASK {{ {{{ALL}}}" + f" UNION {{{ALL}}}" * DEEP + " }", ENDED),
    ("5,000 optionals", "SELECT * { " + f"OPTIONAL {{ {ALL} }} " * 5_000 + "}", ENDED | LIMITED),
    ("5,000 minus", f"SELECT * {{ {ALL} " + f"MINUS {{ {ALL} }} " * 5_000 + "}", ENDED | LIMITED),
    (
        "5,000 patterns",
        "SELECT * { " + "".join(f"?s{n} ?p{n} ?s{n + 1} . " for n in range(5_000)) + "}",
        ENDED | LIMITED,
    ),
    (
        "5,000 sub-selects side by side",
        "SELECT * { "
        + "".join(f"{{ SELECT ?s{n} {{ ?s{n} a ?o }} }} " for n in range(5_000))
        + "}",
        ENDED | LIMITED,
    ),
    (
        "5,000 binds",
        "SELECT * { " + "".join(f"BIND({n} AS ?v{n}) " for n in range(5_000)) + "}",
        FINE | ENDED | LIMITED,
    ),
    ("a cross product", ENDLESS, TOO_SLOW),
    ("a cross product as an answer", f"SELECT * {{ {CROSS} }}", LARGE | TOO_SLOW),
    ("a cross product as a graph", f"CONSTRUCT {{ ?a ?e ?l }} {{ {CROSS} }}", LARGE | LIMITED),
    ("a cross product in order", f"SELECT * {{ {CROSS} }} ORDER BY ?l ?a", LIMITED),
    (
        "a cross product without duplicates",
        f"SELECT DISTINCT ?a ?f ?l {{ {CROSS} }}",
        LARGE | LIMITED,
    ),
    (
        "a cross product in groups",
        f"SELECT ?a ?f ?l (COUNT(*) AS ?n) {{ {CROSS} }} GROUP BY ?a ?f ?l",
        LIMITED,
    ),
    (
        "an existence without end",
        f"SELECT * {{ {ALL} FILTER NOT EXISTS {{ {CROSS} FILTER(?a = ?l && ?a != ?a) }} }}",
        LIMITED,
    ),
    (
        "a regular expression that backtracks",
        f'ASK {{ FILTER REGEX("{"a" * 5_000}!", "^(a+)+$") }}',
        FINE,
    ),
    (
        "a regular expression of great size",
        'ASK { ?s ?p ?o FILTER REGEX(STR(?o), "((a{1,99}){1,99}){1,99}") }',
        FINE | LIMITED,
    ),
    (
        "a regular expression for each solution",
        f"SELECT (COUNT(*) AS ?n) {{ {CROSS}"
        ' FILTER REGEX(STR(?c), CONCAT("(.*)*", STR(?f), "(.*)*$")) }',
        TOO_SLOW,
    ),
    (
        "a path of 5,000 steps",
        f"ASK {{ ?s {'/'.join(['<a:p>'] * 5_000)} ?o }}",
        FINE | ENDED | LIMITED,
    ),
    (
        "a path of 5,000 ways",
        f"ASK {{ ?s {'|'.join(['<a:p>'] * 5_000)} ?o }}",
        FINE | ENDED | LIMITED,
    ),
    (
        "a path of 5,000 inverses",
        f"ASK {{ ?s {'^' * 5_000}<a:p> ?o }}",
        FINE | ENDED | {(400, "Query syntax")},
    ),
    (
        "a closure of closures",
        "SELECT (COUNT(*) AS ?n)"
        " { ?s (((!<a:p>*)*)*)* ?o . ?o (!<a:q>)* ?z . ?z (!<a:r>|^!<a:r>)* ?y }",
        LIMITED,
    ),
    ("100,000 rows of values", "ASK { VALUES ?v { " + "1 " * 100_000 + "} }", FINE),
    (
        "100,000 rows of values, joined",
        "SELECT (COUNT(*) AS ?n) { VALUES ?v { "
        + "1 " * 100_000
        + "} VALUES ?v { "
        + "1 " * 100_000
        + "} }",
        LIMITED,
    ),
    (
        "a concatenation of a cross product",
        f"SELECT (GROUP_CONCAT(CONCAT(STR(?a), STR(?l))) AS ?all) {{ {CROSS} }}",
        LIMITED,
    ),
    ("doubling by CONCAT", _doubled("CONCAT(?v, ?v)", "x" * 64), LIMITED),
    ("doubling by REPLACE", _doubled('REPLACE(?v, "x", "xx")', "x" * 64), LIMITED),
    ("growing by ENCODE_FOR_URI", _doubled("ENCODE_FOR_URI(?v)", "%" * 9_000), FINE),
    (
        "an answer of one great value",
        _doubled("CONCAT(?v, ?v)", "x" * 99, times=17, of="?v17"),
        LARGE,
    ),
    ("a query of comments", "ASK {}" + "\n#" * 900_000, FINE),
    ("a query of escapes", "ASK { " + "\\u007B\\u007D" * 20_000 + " }", {(400, "Query syntax")}),
    (
        "a string of 2 MB that never ends",
        'ASK { ?s ?p """' + "x" * 2_000_000,
        {(400, "Query syntax")},
    ),
    (
        "5,000 graphs",
        " ".join(f"FROM <a:{n}>" for n in range(5_000)).join(["ASK ", " { ?s ?p ?o }"]),
        FINE | {(400, "Bad request")},
    ),
]


# --- requests -----------------------------------------------------------------------------


def _declared(size: int, *, path: str = "/sparql", kind: str = DIRECT) -> list[bytes]:
    """A body that is said to be so long, and begins."""
    return [request("POST", path, [kind, f"Content-Length: {size}"]), b"#" * 65536]


def _chunked(size: int) -> list[bytes]:
    head = request("POST", "/sparql", [DIRECT, "Transfer-Encoding: chunked"])
    return [head, *[b"10000\r\n" + b"#" * 65536 + b"\r\n"] * (size // 65536)]


def _packed() -> list[bytes]:
    """A gigabyte in a megabyte, as members one after another (RFC 1952, 2.2)."""
    body = gzip.compress(b"ASK {}") + gzip.compress(b"#" * (16 * MIB)) * 64
    return [request("POST", "/sparql", [DIRECT, "Content-Encoding: gzip"], body)]


def _get(target: str, *fields: str) -> list[bytes]:
    return [request("GET", target, fields)]


def _parameters(number: int) -> str:
    return "/sparql?query=ASK%7B%7D&" + "&".join(f"x{n}=1" for n in range(number))


QUERY = "/sparql?query=ASK%7B%7D"
REQUESTS: list[tuple[str, list[bytes], set[int]]] = [
    ("a body of a terabyte, declared", _declared(10**12), {413}),
    ("a body without an end, declared", _declared(2**63), {400, 413}),
    ("a length of a hundred digits", _declared(10**100), {400, 413}),
    ("a length below zero", _declared(-1), {400}),
    (
        "two lengths",
        [
            request("POST", "/sparql", [DIRECT, "Content-Length: 6", "Content-Length: 7"]),
            b"ASK {}.",
        ],
        {400},
    ),
    (
        "a length and chunks",
        [
            request("POST", "/sparql", [DIRECT, "Content-Length: 6", "Transfer-Encoding: chunked"]),
            b"ASK {}",
        ],
        {400, 408},
    ),
    ("64 MB in chunks", _chunked(64 * MIB), {413}),
    ("a chunk of 2^64 bytes", [*_chunked(0), b"FFFFFFFFFFFFFFFFF\r\n", b"#" * 1000], {400}),
    ("chunks that are none", [*_chunked(0), b"zz\r\n####\r\n"], {400}),
    (
        "a million chunks of a byte",
        [*_chunked(0), b"1\r\n#\r\n" * 1_000_000, b"0\r\n\r\n"],
        {200, 400, 408},
    ),
    ("a packed body of 1 GB", _packed(), {415}),
    ("5,000 parameters", _get(_parameters(5_000)), {400, 414}),
    (
        "5,000 fields of a form",
        [
            request(
                "POST",
                "/sparql",
                ["Content-Type: application/x-www-form-urlencoded"],
                _parameters(5_000)[8:].encode(),
            )
        ],
        {400},
    ),
    (
        "a form of 3 MB of ampersands",
        [
            request(
                "POST",
                "/sparql",
                ["Content-Type: application/x-www-form-urlencoded"],
                b"&" * BODY_BYTES,
            )
        ],
        {400},
    ),
    ("a URL of 60 kB", _get(f"{QUERY}%23" + "x" * 60_000), {200}),
    ("a URL of 200 kB", _get(f"{QUERY}%23" + "x" * 200_000), {414, 431}),
    ("a URL of 2 MB", _get(f"{QUERY}%23" + "x" * 2_000_000), {414, 431}),
    ("a path of 60 kB", _get("/id/" + "x" * 60_000), {404, 414}),
    ("a path of 20,000 steps", _get("/r/x" * 10_000 + "/sparql"), {404, 414}),
    ("a field of 60 kB", _get(QUERY, "X: " + "x" * 60_000), {200}),
    ("a field of 2 MB", _get(QUERY, "X: " + "x" * 2_000_000), {400, 431}),
    ("10,000 fields", _get(QUERY, *[f"X{n}: x" for n in range(10_000)]), {400, 431}),
    (
        "an Accept of 2,000 types",
        _get(QUERY, "Accept: " + ", ".join(f"a/b{n};q=0.1" for n in range(2_000)) + ", */*"),
        {406},  # an Accept is read to 1,024 characters
    ),
    ("an Accept of 30,000 commas", _get(QUERY, "Accept: " + "," * 30_000), {200, 406}),
    (
        "an Accept-Encoding of 9,000 codings",
        _get(QUERY, "Accept-Encoding: " + "gzip;q=0.5," * 4_500),
        {200},
    ),
    (
        "an If-None-Match of 4,000 tags",
        _get(QUERY, "If-None-Match: " + '"x", W/"y", ' * 4_000),
        {200},
    ),
    ("an If-None-Match of 30,000 quotes", _get(QUERY, "If-None-Match: " + '"' * 30_001), {200}),
    (
        "a Range of 5,000 parts",
        _get("/dump/x.nq.gz", "Range: bytes=" + ",".join(f"{n}-{n}" for n in range(5_000))),
        {404},
    ),
    (
        "the preface of HTTP/2",
        [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\0\0\0\4\0\0\0\0\0"],
        {0, 400, 505},
    ),
    (
        "an upgrade to HTTP/2",
        _get(
            QUERY,
            "Connection: Upgrade, HTTP2-Settings",
            "Upgrade: h2c",
            "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
        ),
        {200},
    ),
    (
        "an upgrade to a web socket",
        _get(
            "/",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ),
        {200, 400, 426},
    ),
    ("CONNECT", [request("CONNECT", "example.org:80")], {400, 404, 405, 501}),
    ("TRACE", [request("TRACE", "/")], {405, 501}),
    ("a method of 60 kB", [request("X" * 60_000, "/")], {400, 405, 501}),
    ("a request in HTTP/0.9", [b"GET /\r\n"], {0, 400}),
    ("a request in HTTP/3.0", [b"GET / HTTP/3.0\r\nHost: x\r\n\r\n"], {400, 505}),
    ("a TLS greeting", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)], {0, 400}),
    ("zeros", [bytes(100_000)], {0, 400, 431}),
    ("a Host that is none", [request("GET", QUERY, host="a b/<script>@:99999")], {200, 400}),
    ("no Host", [request("GET", QUERY, host=None)], {200, 400}),
    ("two Hosts", _get(QUERY, "Host: other"), {200, 400}),
    ("a field that goes on in the next line", _get(QUERY, "X: a", " b: c"), {200, 400}),
    ("a field with a zero", [request("GET", QUERY, ["X: a\0b"])], {400}),
    (
        "a field with a bare carriage return",
        [request("GET", QUERY, ["X: a\rSet-Cookie: b"])],
        {400},
    ),
    (
        "an expectation that none meets",
        [request("POST", "/sparql", [DIRECT, "Expect: a-miracle"], b"ASK {}")],
        {200, 400, 417},
    ),
]


# --- writes -------------------------------------------------------------------------------

LEVELS = 100_000
ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "lol" * 10}">' for n in range(12))
RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:p="http://ex/"'
DOCUMENTS = [
    (
        "entities that expand",
        "application/rdf+xml",
        f"<!DOCTYPE r [{ENTITIES}]><rdf:RDF {RDF}>"
        '<rdf:Description rdf:about="http://ex/a"><p:p>&e11;</p:p></rdf:Description></rdf:RDF>',
    ),
    (
        "an entity that is a file",
        "application/rdf+xml",
        f'<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]><rdf:RDF {RDF}>'
        '<rdf:Description rdf:about="http://ex/a"><p:p>&e;</p:p></rdf:Description></rdf:RDF>',
    ),
    (
        "100,000 elements deep",
        "application/rdf+xml",
        f"<rdf:RDF {RDF}>{'<rdf:Description><p:p>' * (LEVELS // 2)}"
        f"{'</p:p></rdf:Description>' * (LEVELS // 2)}</rdf:RDF>",
    ),
    ("elements that never close", "application/rdf+xml", f"<rdf:RDF {RDF}>" + "<p:p>" * LEVELS),
    (
        "objects 100,000 deep",
        "application/ld+json",
        '{"http://ex/p":' * LEVELS + "1" + "}" * LEVELS,
    ),
    ("arrays 100,000 deep", "application/ld+json", "[" * LEVELS + "]" * LEVELS),
    (
        "a context from elsewhere",
        "application/ld+json",
        '{"@context": "http://127.0.0.1:9/context", "@id": "http://ex/a", "p": 1}',
    ),
    (
        "brackets 100,000 deep",
        "text/turtle",
        "<http://ex/a> <http://ex/p> " + "[ <http://ex/p> " * LEVELS,
    ),
    (
        "lists 100,000 deep",
        "text/turtle",
        f"<http://ex/a> <http://ex/p> {'(' * LEVELS}{')' * LEVELS} .",
    ),
    ("a string that never ends", "text/turtle", '<http://ex/a> <http://ex/p> """' + "x" * 3 * MIB),
    (
        "triple terms 100,000 deep",
        "text/turtle",
        "<http://ex/a> <http://ex/p> " + "<<( <a:a> <a:b> " * LEVELS,
    ),
]
