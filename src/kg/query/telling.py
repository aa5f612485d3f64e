"""A difference as text for people, and as JSON."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from kg.namespaces import CODE, RF
from kg.query.changes import (
    AREA,
    CHAIN,
    PARAPHRASE,
    VALUE,
    WORDING,
    Change,
    ChangedClaim,
    Difference,
    chain_told,
    digits,
)
from kg.query.claims import Claim, Statements
from kg.query.prefixes import prefixes_of
from kg.store.base import Release
from kg.validation.report import compact

_STEERING: Final = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of the text around them."""
_MARKS: Final = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_STACKED: Final = re.compile(f"({_MARKS}{{4}}){_MARKS}+")
_USUAL: Final = frozenset(f"<{CODE}{name}>" for name in ("asserted", "bare", "own"))
_NO_TIME: Final = f"<{CODE}unstated>"
_COUNT: Final = f"<{CODE}count>"
_VOICE: Final = f"<{CODE}publisherVoice>"
_KNOWN: Final = frozenset((_VOICE, f"<{CODE}explicit>"))
_AGENT: Final = "http://www.w3.org/ns/prov#agent"


def told(difference: Difference) -> Iterator[str]:
    """The lines of the text. A claim's begins with `  + `, `  - ` or `  ~ ` where it changed."""
    yield f"From {_named(difference.before)} to {_named(difference.after)}"
    yield ""
    if difference.is_empty:
        yield "Nothing differs."
        return
    claims = False
    for how, lines in (
        ("changed", [_changed(each) for each in difference.changed]),
        ("added", [[f"  + {reading(claim)}"] for claim in difference.added]),
        ("withdrawn", [[f"  - {reading(claim)}"] for claim in difference.withdrawn]),
    ):
        if lines:
            claims = True
            yield f"{_count(len(lines), 'claim')} {how}"
            yield from (plain(line) for each in lines for line in each)
            yield ""
    if not claims:
        yield "No claim differs."
        yield ""
    yield from _others(difference)
    if difference.files:
        yield "Files that the release carries: " + ", ".join(
            f"{plain(path)} {how}" for path, how in difference.files
        )


def reading(claim: Claim) -> str:
    """A claim on one line: what of, the wording with its hedges, where, when, on whose word."""
    return _line(claim, wording(claim))


def wording(claim: Claim) -> str:
    """The number as it was reported, or what another claim says in our words."""
    for property in (WORDING, PARAPHRASE, VALUE, RF + "valueStatus"):
        if text := claim.text(property):
            return text.rstrip(".") if property == PARAPHRASE else text
    return claim.iri


def unmoved(changed: ChangedClaim) -> str:
    """The number, where the wording has another in digits now and the number is as before."""
    was, now = wording(changed.before), wording(changed.after)
    if was == now or any(change.property == VALUE for change in changed.changes):
        return ""
    value = changed.after.text(VALUE)
    return value if digits(was) == digits(value) != digits(now) else ""


def written_json(difference: Difference) -> str:
    """All of a difference as a JSON object, one member a line."""
    members = {
        "from": _release(difference.before),
        "to": _release(difference.after),
        "quads": {"added": difference.quads_added, "removed": difference.quads_removed},
        "added": [_claim(claim) for claim in difference.added],
        "withdrawn": [_claim(claim) for claim in difference.withdrawn],
        "changed": [_changed_claim(each) for each in difference.changed],
        "others": [
            {"graph": graph.iri, "added": graph.added, "removed": graph.removed}
            for graph in difference.others
        ],
        "files": [{"path": path, "how": how} for path, how in difference.files],
    }
    return json.dumps(members, ensure_ascii=False, indent=1) + "\n"


def plain(text: str) -> str:
    """The text without what would steer a terminal or turn the words around."""
    return "".join(
        "\ufffd" if unicodedata.category(each) == "Cc" or each in _STEERING else each
        for each in text
    )


def unstacked(text: str) -> str:
    """The text with at most four marks upon one character: more would cover what is around it."""
    return _STACKED.sub(r"\1", text)


# --- text ---------------------------------------------------------------------------------


def _named(release: Release) -> str:
    return f"release {release.name} ({release.time})"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _changed(changed: ChangedClaim) -> list[str]:
    was, now = wording(changed.before), wording(changed.after)
    first = f"  ~ {_line(changed.after, now if was == now else f'{was} → {now}')}"
    shown = [change for change in changed.changes if not _is_in_line(change)]
    lines = [f"      {_change(change)}" for change in shown]
    if value := unmoved(changed):
        lines.append(f"      value: {value}, as before")
    return [first, *lines]


def _is_in_line(change: Change) -> bool:
    return change.follows or change.property in (WORDING, PARAPHRASE)


def _change(change: Change) -> str:
    between = " ← " if change.property == CHAIN else ", "
    sides = (between.join(side) or "none" for side in (change.before, change.after))
    return f"{change.name}: {' → '.join(sides)}"


def _line(claim: Claim, words: str) -> str:
    doubted = ", ".join(doubts(claim))
    where = ", ".join(
        (claim.source.publisher or "no publisher", day(claim.source.published) or "undated")
    )
    between = ", " if claim.values(WORDING) else "; "
    said = f"{words} ({doubted})" if doubted else words
    return f"{subject(claim)}: {said}{between}{where}{word(claim)}"


def subject(claim: Claim) -> str:
    """What a figure counts and where; of another claim its kind."""
    area = claim.text(AREA)
    if not claim.values(WORDING):
        return ", ".join(part for part in (claim.text(RF + "kind") or "claim", area) if part)
    time = "" if _terms(claim, RF + "refTime") <= {_NO_TIME} else claim.text(RF + "refTime")
    cohort = claim.text(RF + "cohort")
    if not _terms(claim, RF + "measure") <= {_COUNT}:
        base = claim.text(RF + "baseCohort")
        cohort += f" ({claim.text(RF + 'measure')}{f' of {base}' if base else ''})"
    parts = (area, claim.text(RF + "populationGroup"), cohort, time)
    return ", ".join(part for part in parts if part)


def doubts(claim: Claim) -> Iterator[str]:
    """All that keeps a claim from being a bare assertion, but what its wording says itself."""
    for property in ("modality", "evidential"):
        if not _terms(claim, RF + property) <= _USUAL:
            yield claim.text(RF + property)
    for property in ("hedge", "stance"):
        if text := claim.text(RF + property):
            yield f"“{text}”"
    if claim.text(RF + "hedgeInherited") == "true":
        yield "said of an earlier one"
    qualifier = claim.text(RF + "qualifier")
    if not _terms(claim, RF + "qualifier") <= _USUAL and qualifier not in wording(claim).lower():
        yield qualifier
    if not _terms(claim, RF + "qualifierScope") <= _USUAL:
        yield claim.text(RF + "qualifierScope")


def _terms(claim: Claim, property: str) -> frozenset[str]:
    return frozenset(value.term for value in claim.values(property))


def word(claim: Claim) -> str:
    """On whose word, where that is not simply the publisher's own."""
    if not claim.steps:
        return ""
    last = claim.steps[-1]
    if len(claim.steps) == 1 and {value.term for value in last.get(RF + "basis", ())} <= {_VOICE}:
        return ""
    if len(claim.steps) == 1:
        return "; " + ", ".join(value.text for value in last.get(RF + "basis", ()))
    between = "".join(f", by way of {_who(each)}" for each in claim.steps[:-1] if not _known(each))
    return f"; on the word of {_who(last)}{between}"


def is_attributed(claim: Claim) -> bool:
    """Whether the words name whose each step of its chain is, and nothing is left to a reading."""
    return bool(claim.steps) and all(RF + "basis" in each and _known(each) for each in claim.steps)


def _who(step: Statements) -> str:
    """Who it is, and on what ground, where the words of the sentence do not name them."""
    agent, basis = (
        ", ".join(value.text for value in step.get(iri, ())) for iri in (_AGENT, RF + "basis")
    )
    return f"{agent or 'somebody'}{'' if _known(step) else f' ({basis})'}"


def _known(step: Statements) -> bool:
    return {value.term for value in step.get(RF + "basis", ())} <= _KNOWN


def day(text: str) -> str:
    """The day of a date or a moment, or a month, as people write it; else the text as it is."""
    if month := _MONTH.fullmatch(text):
        return f"{_MONTHS[int(month[2]) - 1]} {month[1]}"
    try:
        known = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{known.day} {_MONTHS[known.month - 1]} {known.year}"


def moment(text: str) -> str:
    """A day and the time of it, as people write them; what is no moment of UTC as it is."""
    try:
        known = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return text
    return f"{day(text)}, {known:%H:%M:%S} UTC"


_MONTH: Final = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
"""As xsd:gYearMonth writes it."""
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)


def _others(difference: Difference) -> Iterator[str]:
    if not difference.others:
        return
    prefixes = prefixes_of(difference.after)
    added = sum(graph.added for graph in difference.others)
    removed = sum(graph.removed for graph in difference.others)
    graphs = _count(len(difference.others), "graph")
    yield f"And {_count(added, 'quad')} added, {removed} removed that state no claims, in {graphs}:"
    for graph in difference.others:
        yield f"  {plain(compact(graph.iri, prefixes))}: +{graph.added} -{graph.removed}"


# --- JSON ---------------------------------------------------------------------------------


def _release(release: Release) -> dict[str, Any]:
    return {
        "number": release.number,
        "name": release.name,
        "time": release.time,
        "digest": release.digest,
    }


def _claim(claim: Claim) -> dict[str, Any]:
    return {
        "claim": claim.iri,
        "article": claim.source.article,
        "reading": plain(reading(claim)),
        "wording": wording(claim),
        "publisher": claim.source.publisher,
        "published": claim.source.published,
        "statements": {
            property: [value.text for value in values]
            for property, values in claim.statements.items()
        },
        "attribution": list(chain_told(claim.steps)),
    }


def _changed_claim(changed: ChangedClaim) -> dict[str, Any]:
    first, *_ = _changed(changed)
    was: Mapping[str, Any] = (
        {} if changed.before.iri == changed.after.iri else {"was": changed.before.iri}
    )
    return {
        "claim": changed.after.iri,
        **was,
        "article": changed.after.source.article,
        "reading": plain(first.removeprefix("  ~ ")),
        "publisher": changed.after.source.publisher,
        "published": changed.after.source.published,
        "changes": [_json_change(change) for change in changed.changes],
    }


def _json_change(change: Change) -> dict[str, Any]:
    sides: dict[str, Sequence[str]] = {"before": change.before, "after": change.after}
    return {
        "property": change.property,
        "name": change.name,
        **{name: list(side) for name, side in sides.items()},
        "follows": change.follows,
    }
