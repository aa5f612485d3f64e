"""A store in which every name and every wording says what would break a careless page."""

from __future__ import annotations

import datetime
import gzip
import re
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import Final

from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, parse, serialize

from conftest import NOW
from kg.media import N_QUADS
from kg.settings import Settings
from kg.store.base import Commit, NamedGraph, Release
from kg.store.embedded import EmbeddedStore, commit
from kg.store.release_files import carried_files

HOSTILE: Final = (
    "<script>window.hacked=1</script>",
    '"><img src=x onerror=window.hacked=1>',
    "'><svg onload=window.hacked=1>",
    "</script></textarea></title><script>window.hacked=1</script>",
    "<!-- ]]> --> {{ 7*7 }} {% raw %}",
    "\u202egnp.exe\u202c \u2067abc\u2069 \u200f",
    "x" * 10_000,
    "a" + "\u0300\u0489\u20dd" * 300,
    "\u0001\u0007\u001b[31m\u0085\u2028\u2029\ufffe",
    "%0d%0aSet-Cookie:x=1 &lt;b&gt; &#x27; \\u003cscript\\u003e",
)
LINK: Final = "javascript:window.hacked=1"
NAMED: Final = re.compile(
    "prefLabel|altLabel|definition|scopeNote|example|name|headline|title|description|comment|label"
    "|paraphrase|reportedText|hedge|stance|incipit|cueText|sentence|roleName|jobTitle|message"
)
"""The ends of the properties whose text is replaced."""
_SAME_AS: Final = NamedNode("https://schema.org/sameAs")


def make_store(built: Path, folder: Path) -> Path:
    """A copy of a store that was built, with one release more that is hostile."""
    store = shutil.copytree(built, folder)
    numbers = count()
    change_graphs(store, lambda quad: _hostile(quad, numbers), HOSTILE[0], who=HOSTILE[1])
    return store


def change_graphs(
    store: Path,
    changed: Callable[[Quad], Iterable[Quad]],
    message: str,
    *,
    who: str,
) -> Release:
    """A release in which each quad of the public graphs became what `changed` makes of it.

    It has no restricted graphs.
    """
    with EmbeddedStore(store, Settings()) as opened:
        release = opened.release()
        dump = gzip.decompress(opened.dump(release, N_QUADS).read_bytes())
    graphs: dict[str, list[Quad]] = defaultdict(list)
    for quad in parse(dump, RdfFormat.N_QUADS):
        graphs[str(quad.graph_name)[1:-1]].extend(changed(quad))
    owners = {state.iri: state.owner for state in release.graphs}
    given = tuple(
        NamedGraph(iri, _n_triples(quads), owners[iri]) for iri, quads in sorted(graphs.items())
    )
    change = Commit(
        graphs=given,
        owners=frozenset(owners.values()),
        who=who,
        message=message,
        shapes_digest=release.shapes_digest,
        files=carried_files(release.folder),
    )
    made = commit(store, change, now=NOW + datetime.timedelta(days=1))
    assert made is not None
    return made


def _hostile(quad: Quad, numbers: count[int]) -> Iterable[Quad]:
    end = str(quad.predicate.value).replace("#", "/").rpartition("/")[2]
    term = quad.object
    if not NAMED.fullmatch(end) or not isinstance(term, Literal):
        return [quad]
    text = f"{term.value[:40]} {HOSTILE[next(numbers) % len(HOSTILE)]}"
    other = Literal(text, language=term.language) if term.language else Literal(text)
    link = Quad(quad.subject, _SAME_AS, NamedNode(LINK), quad.graph_name)
    return [Quad(quad.subject, quad.predicate, other, quad.graph_name), link]


def _n_triples(quads: Iterable[Quad]) -> bytes:
    written = serialize((quad.triple for quad in quads), format=RdfFormat.N_TRIPLES)
    assert written is not None
    return written
