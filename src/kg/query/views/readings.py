"""Claims, quotes and mentions in words, where a page names many resources."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kg.namespaces import RF
from kg.query.claims import Claim
from kg.query.telling import day, reading
from kg.query.views.claim import QUOTE, quote_told, told_as
from kg.query.views.look import Look

MENTION: Final = RF + "Mention"


def readings(
    look: Look, iris: Iterable[str], *, known: Iterable[str] = (), most: int | None = None
) -> dict[str, str]:
    """What each of these that is a claim, a quote or a mention says, in words, by IRI.

    Those that are `known` to be claims are told too. Of the others only the first `most` are, in
    the order given: each takes a worker about half a millisecond.
    """
    given = list(dict.fromkeys(iris))
    rows = look.rows("claims-among", it=given) if given else []
    types = {row["it"].value: row["type"].value for row in rows}
    chosen = [iri for iri in given if iri in types][:most]
    wanted = {*chosen, *known}
    read = look.told(wanted) if wanted else {}
    return {iri: _told(claim, types.get(iri, "")) for iri, claim in read.items()}


def _told(claim: Claim, type: str) -> str:
    if type == QUOTE:
        return quote_told(claim).reading
    return _mention(claim) if type == MENTION else reading(claim)


def _mention(mention: Claim) -> str:
    """Whom an article names, as which name, and where."""
    whom = ", ".join(map(told_as, mention.values(RF + "mentions")))
    name = mention.text(RF + "namedAs")
    publisher, published = mention.source.publisher, day(mention.source.published)
    named = f" as “{name}”" if name and name.casefold() != whom.casefold() else ""
    return (
        f"A mention of {whom or 'somebody'}{named}; "
        f"{publisher or 'no publisher'}, {published or 'undated'}"
    )
