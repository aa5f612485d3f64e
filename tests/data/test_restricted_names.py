"""The names of restricted persons are in no public graph of our data."""

from __future__ import annotations

import re
from pathlib import Path

from kg.project import Project
from kg.publishing.publish import check

PROJECT = Project.at(Path(__file__).parents[2])
NAMES = ("Jones", "Widow", "Abaaoud", "Asmal", "Talha", "Belgian national", "17 year")


def test_no_public_graph_tells_a_restricted_name() -> None:
    public, restricted = b"", b""
    for graph in check(PROJECT).graphs():
        if graph.restricted:
            restricted += graph.triples
        else:
            public += graph.triples
    assert [name for name in NAMES if name.encode() not in restricted] == []
    assert [name for name in NAMES if name.encode() in public] == []


def test_no_comment_of_a_source_tells_a_restricted_name() -> None:
    for source in PROJECT.sources():
        content = source.read_text().split("\nsensitive:")[0]
        comments = re.findall(r"# (.*)$", content, re.MULTILINE)
        assert [each for each in comments if any(name in each for name in NAMES)] == []
