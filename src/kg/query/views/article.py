"""An article as a page shows it: its blocks in order, and what hangs off each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from kg.namespaces import RF, SCHEMA
from kg.query.claims import Claim, Statements, Value
from kg.query.telling import doubts, reading, subject, wording
from kg.query.views.look import Look, Row, Term, is_withheld

ENTRIES: Final = 80
"""Claims and quotes on one page."""
ROWS: Final = 30
"""Findings or comparisons on one page."""
MOST: Final = 20_000
"""Claims, quotes, mentions and media of one article that are looked at."""
_PROV: Final = "http://www.w3.org/ns/prov#"
_SKOS: Final = "http://www.w3.org/2004/02/skos/core#"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A half-open range of code points of a text."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """How many code points it has."""
        return self.end - self.start

    def within(self, other: Place) -> Place:
        """The part of it that lies in another one; of no length where none does."""
        start = min(max(self.start, other.start), other.end)
        return Place(start, max(start, min(self.end, other.end)))


@dataclass(frozen=True, slots=True)
class Named:
    """A resource with what it is called; without a name, what its IRI ends in."""

    iri: str
    text: str


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of the article itself. Each of `values` is empty where it is not stated."""

    iri: str
    values: Mapping[str, tuple[Term, ...]]

    def one(self, property: str) -> Term | None:
        """The first value of a property of schema.org, or of ours with the prefix `rf:`."""
        return next(iter(self.all(property)), None)

    def all(self, property: str) -> tuple[Term, ...]:
        """All values of such a property."""
        ours = property.startswith("rf:")
        return self.values.get(RF + property[3:] if ours else SCHEMA + property, ())

    @property
    def digest(self) -> str:
        """SHA-256 of its text; empty where the text is not held."""
        found = self.one("rf:textDigest")
        return found.value if found else ""

    @property
    def length(self) -> int:
        """Code points of its text."""
        found = self.one("rf:textLength")
        return int(found.value) if found and found.value.isdecimal() else 0

    @property
    def notes(self) -> tuple[Term, ...]:
        """Remarks on what was read."""
        return self.values.get(_SKOS + "scopeNote", ())


@dataclass(frozen=True, slots=True)
class Entry:
    """A claim or a quote by its number in the article, and where it stands."""

    number: int
    iri: str
    is_quote: bool
    block: str
    place: Place | None


@dataclass(frozen=True, slots=True)
class Block:
    """A block of the article; `entries` are those that a page has of it."""

    iri: str
    order: int
    kind: str
    place: Place
    covered: tuple[Place, ...]
    """What the anchors of its claims and quotes cover, apart from one another."""
    claims: int
    entries: tuple[Entry, ...]
    continued: bool = False

    @property
    def share(self) -> int:
        """Percent of its code points that are covered."""
        covered = sum(place.length for place in self.covered)
        return round(100 * covered / self.place.length) if self.place.length else 0


@dataclass(frozen=True, slots=True)
class Spine:
    """The whole article in outline: its parts, each of which fits on a page.

    `loose` are entries of a part that stand in no block, as where the text is not held.
    """

    blocks: tuple[Block, ...]
    parts: tuple[tuple[tuple[Block, ...], tuple[Entry, ...]], ...]
    claims: int
    quotes: int
    mentions: Mapping[str, tuple[str, ...]]
    media: Mapping[str, tuple[str, ...]]
    numbers: Mapping[str, int]
    is_cut: bool
    """Whether it has more than is looked at."""

    @property
    def share(self) -> int:
        """Percent of the code points of all blocks that are covered."""
        length = sum(block.place.length for block in self.blocks)
        covered = sum(place.length for block in self.blocks for place in block.covered)
        return round(100 * covered / length) if length else 0

    @property
    def without(self) -> int:
        """Blocks from which no claim was taken."""
        return sum(not block.claims for block in self.blocks)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a chain of attribution."""

    agent: Named | None
    via: Named | None
    basis: Named | None
    cue: str
    cue_place: Place | None


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain, from the publisher on, with how many entries of the page have it."""

    number: int
    steps: tuple[Step, ...]
    count: int


@dataclass(frozen=True, slots=True)
class ClaimTold:
    """A claim in words. `ours` tells that the words are our paraphrase, else they are reported."""

    entry: Entry
    subject: str
    words: str
    ours: bool
    doubts: tuple[str, ...]
    note: str
    chain: int
    withheld: tuple[str, ...]
    """Persons whose names are withheld, whom it is about."""
    rules: tuple[str, ...]
    """The rules of the audit that found something about it."""
    verdicts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class QuoteTold:
    """A quote: who says it, its first words, and what it says in words of ours."""

    entry: Entry
    speakers: tuple[Named, ...]
    """The speaker; where that is left open, those who may be."""
    is_open: bool
    basis: str
    roles: tuple[str, ...]
    directness: str
    incipit: str
    paraphrase: str
    note: str
    chain: int


@dataclass(frozen=True, slots=True)
class Mention:
    """How the article calls somebody or something."""

    iri: str
    of: Named
    called: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Medium:
    """An image or a video that a block shows, in words of ours."""

    iri: str
    kind: str
    paraphrase: str
    credit: str


Told = ClaimTold | QuoteTold


@dataclass(frozen=True, slots=True)
class Part:
    """What one page tells in full."""

    told: Mapping[int, Told]
    chains: tuple[Chain, ...]
    mentions: Mapping[str, tuple[Mention, ...]]
    media: Mapping[str, tuple[Medium, ...]]
    words: tuple[tuple[str, str], ...]
    """What the words of the chains mean: label and definition."""

    @property
    def withheld(self) -> tuple[str, ...]:
        """Every person whose name is withheld, whom a claim of the page is about."""
        told = (each.withheld for each in self.told.values() if isinstance(each, ClaimTold))
        return tuple(sorted({iri for iris in told for iri in iris}))


@dataclass(frozen=True, slots=True)
class Audited:
    """How many findings and comparisons the article's entries have, and which each of them has."""

    findings: int
    comparisons: int
    rules: Mapping[str, tuple[str, ...]]
    """The rules that found something, by the entry's IRI."""
    verdicts: Mapping[str, Counter[str]]
    """How often each verdict was given, by the claim's IRI."""


@dataclass(frozen=True, slots=True)
class Found:
    """A finding of the audit, with the article's entries that it concerns."""

    iri: str
    rule: str
    severity: str
    message: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """A claim of the article beside one of another source, or of its own."""

    iri: str
    claim: str
    other: str
    verdict: str
    reasons: tuple[str, ...]
    same_source: bool
    elsewhere: str


# --- the outline --------------------------------------------------------------------------


def card(look: Look, iri: str) -> Card:
    """What is stated of the article."""
    found: dict[str, list[Term]] = defaultdict(list)
    for row in look.rows("article-statements", article=[iri]):
        found[row["property"].value].append(row["value"])
    return Card(iri, {property: tuple(terms) for property, terms in found.items()})


def spine(look: Look, iri: str) -> Spine:
    """The outline of the article: where each claim and quote stands."""
    rows = look.rows("article-items", limit=MOST + 1, article=[iri])
    blocks = {row["block"].value: row for row in look.rows("article-blocks", article=[iri])}
    orders = {block: order for order, block in enumerate(blocks)}
    kinds: dict[str, set[str]] = defaultdict(set)
    places: dict[str, tuple[str, Place | None]] = {}
    for row in rows[:MOST]:
        item = row["item"].value
        kinds[item].add(row["type"].value)
        block = row["block"].value if "block" in row else ""
        places.setdefault(item, (block if block in blocks else "", _place(row)))
    claims = {item for item in places if RF + "Claim" in kinds[item]}
    quotes = {item for item in places if RF + "Quote" in kinds[item]} - claims

    def order(item: str) -> tuple[int, bool, Place, str]:
        block, place = places[item]
        return orders.get(block, len(orders)), place is None, place or Place(0, 0), item

    entries = [
        Entry(number, item, item in quotes, *places[item])
        for number, item in enumerate(sorted(claims | quotes, key=order), start=1)
    ]
    by_block: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_block[entry.block].append(entry)
    whole = tuple(_block(row, by_block[block]) for block, row in blocks.items())
    others = places.keys() - claims - quotes
    return Spine(
        blocks=whole,
        parts=tuple(_parts(whole, by_block[""])),
        claims=len(claims),
        quotes=len(quotes),
        mentions=_of_blocks(places, {it for it in others if RF + "Mention" in kinds[it]}),
        media=_of_blocks(places, {it for it in others if RF + "Mention" not in kinds[it]}),
        numbers={entry.iri: entry.number for entry in entries},
        is_cut=len(rows) > MOST,
    )


def merged(places: Iterable[Place]) -> tuple[Place, ...]:
    """The same code points in places that are apart from one another."""
    found: list[Place] = []
    for place in sorted(place for place in places if place.length):
        if found and place.start <= found[-1].end:
            found[-1] = Place(found[-1].start, max(found[-1].end, place.end))
        else:
            found.append(place)
    return tuple(found)


def _place(row: Row) -> Place | None:
    if "start" not in row or "end" not in row:
        return None
    start, end = row["start"].value, row["end"].value
    fits = start.isdecimal() and end.isdecimal() and int(start) <= int(end)
    return Place(int(start), int(end)) if fits else None


def _block(row: Row, entries: Sequence[Entry]) -> Block:
    place = _place(row) or Place(0, 0)
    return Block(
        iri=row["block"].value,
        order=int(row["order"].value) if row["order"].value.isdecimal() else 0,
        kind=row["kind"].value if "kind" in row else "block",
        place=place,
        covered=merged(entry.place.within(place) for entry in entries if entry.place),
        claims=sum(not entry.is_quote for entry in entries),
        entries=tuple(entries),
    )


def _parts(
    blocks: Iterable[Block], loose: Sequence[Entry]
) -> Iterator[tuple[tuple[Block, ...], tuple[Entry, ...]]]:
    """Blocks as long as their entries fit on a page; one with more of them is on several."""
    taken: list[Block] = []
    room = ENTRIES
    for block in blocks:
        for part, entries in enumerate(_slices(block.entries) or [()]):
            if taken and len(entries) > room:
                yield tuple(taken), ()
                taken, room = [], ENTRIES
            taken.append(replace(block, entries=entries, continued=part > 0))
            room -= max(1, len(entries))
    if taken:
        yield tuple(taken), ()
    for entries in _slices(loose):
        yield (), entries


def _slices(entries: Sequence[Entry]) -> list[tuple[Entry, ...]]:
    starts = range(0, len(entries), ENTRIES)
    return [tuple(entries[start : start + ENTRIES]) for start in starts]


def _of_blocks(
    places: Mapping[str, tuple[str, Place | None]], items: set[str]
) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for item in sorted(items, key=lambda item: (places[item][1] or Place(0, 0), item)):
        found[places[item][0]].append(item)
    return {block: tuple(each) for block, each in found.items()}


# --- one part in full ---------------------------------------------------------------------


def part(look: Look, outline: Spine, number: int, audit: Audited) -> Part:
    """What the page of this number tells, from 1 on; nothing for one that is not there."""
    if not 1 <= number <= len(outline.parts):
        return Part({}, (), {}, {}, ())
    blocks, loose = outline.parts[number - 1]
    entries = [*(entry for block in blocks for entry in block.entries), *loose]
    first = [block.iri for block in blocks if not block.continued] + ([""] if loose else [])
    mentions = {block: outline.mentions.get(block, ()) for block in first}
    media = {block: outline.media.get(block, ()) for block in first}
    others = [item for items in (*mentions.values(), *media.values()) for item in items]
    # The mentions of all blocks tell the roles of those who speak.
    wanted = [*(entry.iri for entry in entries), *others]
    read = look.told([*wanted, *_all(outline.mentions)[:MOST]])
    chains = _Chains(_cues(look, read.values()))
    roles = _roles(read[item] for item in _all(outline.mentions) if item in read)
    told: dict[int, Told] = {}
    for entry in entries:
        claim = read.get(entry.iri)
        if claim is None:
            continue
        if entry.is_quote:
            told[entry.number] = _quote(entry, claim, chains.number(claim), roles)
        else:
            told[entry.number] = _claim(entry, claim, chains.number(claim), audit)
    return Part(
        told,
        chains.all(),
        {block: tuple(map(_mention, _read(its, read))) for block, its in mentions.items()},
        {block: tuple(map(_medium, _read(its, read))) for block, its in media.items()},
        _definitions(look, chains.bases()),
    )


def _read(items: Iterable[str], read: Mapping[str, Claim]) -> list[Claim]:
    return [read[item] for item in items if item in read]


def _all(by_block: Mapping[str, tuple[str, ...]]) -> list[str]:
    return [item for items in by_block.values() for item in items]


def _claim(entry: Entry, claim: Claim, chain: int, audit: Audited) -> ClaimTold:
    about = {*claim.values(RF + "about"), *claim.values(RF + "participant")}
    persons = {_iri(value) for value in about}
    return ClaimTold(
        entry=entry,
        subject=subject(claim),
        words=wording(claim),
        ours=not claim.values(RF + "reportedText"),
        doubts=tuple(doubts(claim)),
        note=claim.text(_SKOS + "note"),
        chain=chain,
        withheld=tuple(sorted(iri for iri in persons if is_withheld(iri))),
        rules=audit.rules.get(claim.iri, ()),
        verdicts=tuple(sorted(audit.verdicts.get(claim.iri, Counter()).items())),
    )


def _quote(
    entry: Entry, quote: Claim, chain: int, roles: Mapping[str, tuple[str, ...]]
) -> QuoteTold:
    known = [_named(value) for value in quote.values(RF + "speaker")]
    candidates = [_named(value) for value in quote.values(RF + "speakerCandidate")]
    speakers = known or candidates
    return QuoteTold(
        entry=entry,
        speakers=tuple(speakers),
        is_open=not known,
        basis=quote.text(RF + "speakerBasis"),
        roles=tuple(dict.fromkeys(role for who in known for role in roles.get(who.iri, ()))),
        directness=quote.text(RF + "directness"),
        incipit=quote.text(RF + "incipit"),
        paraphrase=quote.text(RF + "paraphrase"),
        note=quote.text(_SKOS + "note"),
        chain=chain,
    )


def _roles(mentions: Iterable[Claim]) -> dict[str, tuple[str, ...]]:
    """What the article calls each of those whom it mentions."""
    found: dict[str, list[str]] = defaultdict(list)
    for mention in mentions:
        for who in mention.values(RF + "mentions"):
            found[_iri(who)] += _roles_of(mention)
    return {iri: tuple(dict.fromkeys(roles)) for iri, roles in found.items()}


def _roles_of(mention: Claim) -> list[str]:
    roles = [value.text for value in mention.values(RF + "role")]
    return roles + [value.text for value in mention.values(SCHEMA + "affiliation")]


def _mention(mention: Claim) -> Mention:
    of = next((_named(value) for value in mention.values(RF + "mentions")), Named("", "somebody"))
    return Mention(mention.iri, of, mention.text(RF + "namedAs"), tuple(_roles_of(mention)))


def _medium(medium: Claim) -> Medium:
    types = {value.term for value in medium.values(_TYPE)}
    kind = "video" if f"<{SCHEMA}VideoObject>" in types else "image"
    return Medium(
        medium.iri, kind, medium.text(RF + "paraphrase"), medium.text(SCHEMA + "creditText")
    )


_TYPE: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"


class _Chains:
    """The chains of a page, each numbered when it is met first."""

    def __init__(self, cues: Mapping[str, Place]) -> None:
        self._cues = cues
        self._known: dict[tuple[Step, ...], int] = {}
        self._counts: Counter[int] = Counter()

    def number(self, claim: Claim) -> int:
        """That of the claim's chain; 0 where it has none."""
        steps = tuple(self._step(step) for step in claim.steps)
        if not steps:
            return 0
        number = self._known.setdefault(steps, len(self._known) + 1)
        self._counts[number] += 1
        return number

    def all(self) -> tuple[Chain, ...]:
        """All that were met."""
        return tuple(Chain(n, steps, self._counts[n]) for steps, n in self._known.items())

    def bases(self) -> list[str]:
        """The concepts that tell on what ground each step stands."""
        return sorted({step.basis.iri for steps in self._known for step in steps if step.basis})

    def _step(self, step: Statements) -> Step:
        def first(property: str) -> Named | None:
            return next((_named(value) for value in step.get(property, ())), None)

        cue = first(RF + "cue")
        texts = (value.text for value in step.get(RF + "cueText", ()))
        return Step(
            first(_PROV + "agent"),
            first(RF + "via"),
            first(RF + "basis"),
            next(texts, ""),
            self._cues.get(cue.iri) if cue else None,
        )


def _cues(look: Look, claims: Iterable[Claim]) -> dict[str, Place]:
    """Where the cues of these claims' chains stand."""
    steps = (step for claim in claims for step in claim.steps)
    wanted = sorted({_iri(value) for step in steps for value in step.get(RF + "cue", ())} - {""})
    rows = look.rows("article-cues", cue=wanted) if wanted else ()
    places = ((row["cue"].value, _place(row)) for row in rows)
    return {cue: place for cue, place in places if place}


def _definitions(look: Look, concepts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    rows = look.rows("article-words", concept=concepts)
    return tuple(dict.fromkeys((row["label"].value, row["definition"].value) for row in rows))


def _named(value: Value) -> Named:
    return Named(_iri(value), value.text)


def _iri(value: Value) -> str:
    """The IRI of a value; empty where it is none."""
    term = value.term
    return term[1:-1] if term.startswith("<") else ""


# --- what others say of it ----------------------------------------------------------------


def audited(look: Look, iri: str) -> Audited:
    """What the audit says of each entry, in short."""
    rules: dict[str, set[str]] = defaultdict(set)
    found = look.rows("article-rules", limit=MOST, article=[iri])
    for row in found:
        rules[row["item"].value].add(row["rule"].value)
    verdicts: dict[str, Counter[str]] = defaultdict(Counter)
    compared = look.rows("article-verdicts", limit=MOST, article=[iri])
    for row in compared:
        verdicts[row["claim"].value][row["verdict"].value] += 1
    return Audited(
        len({row["finding"].value for row in found}),
        len({row["comparison"].value for row in compared}),
        {item: tuple(sorted(names, key=_rule)) for item, names in rules.items()},
        verdicts,
    )


def findings(look: Look, iri: str) -> list[Found]:
    """What the audit found about its claims and quotes: warnings first, then by rule."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in look.rows("article-findings", limit=MOST, article=[iri]):
        found[row["finding"].value].append(row)
    told = [
        Found(
            finding,
            rows[0]["rule"].value,
            rows[0]["severity"].value.rpartition("#")[2],
            rows[0]["message"].value,
            tuple(dict.fromkeys(row["item"].value for row in rows)),
        )
        for finding, rows in found.items()
    ]
    return sorted(told, key=lambda it: (it.severity != "Warning", _rule(it.rule), it.message))


def comparisons(look: Look, iri: str) -> list[Compared]:
    """Each of its claims beside those that are about the same: contradictions first."""
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in look.rows("article-comparisons", limit=MOST, article=[iri]):
        found[row["comparison"].value, min(row["claim"].value, row["other"].value)].append(row)
    told = [_compared(rows) for rows in found.values()]
    return sorted(told, key=lambda it: (_verdict(it.verdict), it.claim, it.other))


def _compared(rows: Sequence[Row]) -> Compared:
    first = rows[0]
    reasons = dict.fromkeys(row["reason"].value for row in rows if "reason" in row)
    return Compared(
        first["comparison"].value,
        first["claim"].value,
        first["other"].value,
        first["verdict"].value,
        tuple(reasons),
        same_source=first["sameEnd"].value == "true" if "sameEnd" in first else False,
        elsewhere=first["elsewhere"].value,
    )


def readings(look: Look, iris: Iterable[str]) -> dict[str, str]:
    """Each of these claims on one line."""
    return {iri: reading(claim) for iri, claim in look.told(iris).items()}


def _rule(name: str) -> tuple[int, str]:
    digits = "".join(each for each in name if each.isdecimal())
    return int(digits or 0), name


def _verdict(label: str) -> tuple[int, str]:
    worst = ("contradict", "superseded", "compatible", "agree")
    return (worst.index(label) if label in worst else len(worst)), label


# --- the words ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place of the text, with the SHA-256 of the words there."""

    iri: str
    place: Place
    digest: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A place that is marked: `role` is `hedge`, `stance`, `value` or `cue`."""

    place: Place
    role: str


@dataclass(frozen=True, slots=True)
class Piece:
    """Words under the same marks; `begins` are the entries whose anchors begin here."""

    text: str
    entries: tuple[int, ...]
    begins: tuple[int, ...]
    roles: tuple[str, ...]


def anchors(look: Look, iri: str) -> list[Anchor]:
    """Every anchor in the text."""
    rows = look.rows("article-anchors", article=[iri])
    found = ((row, _place(row)) for row in rows)
    return [Anchor(row["anchor"].value, at, row["digest"].value) for row, at in found if at]


def marks(look: Look, iri: str, known: Iterable[Anchor]) -> list[Mark]:
    """The hedges, stances, values and cues in the text."""
    places = {anchor.iri: anchor.place for anchor in known}
    return [
        Mark(places[row["anchor"].value], row["role"].value)
        for row in look.rows("article-marks", article=[iri])
        if row["anchor"].value in places
    ]


def pieces(
    text: str, place: Place, entries: Iterable[Entry], marked: Iterable[Mark]
) -> tuple[Piece, ...]:
    """The words of a block, cut wherever an anchor begins or ends; together they are all of it."""
    held = [(e.number, e.place.within(place)) for e in entries if e.place]
    held = [(number, at) for number, at in held if at.length]
    roles = [(mark.role, mark.place.within(place)) for mark in marked]
    roles = [(role, at) for role, at in roles if at.length]
    ends = {place.start, place.end}
    for _, at in (*held, *roles):
        ends |= {at.start, at.end}
    cuts = sorted(ends)
    return tuple(_piece(text, Place(start, end), held, roles) for start, end in pairwise(cuts))


def _piece(
    text: str,
    at: Place,
    held: Sequence[tuple[int, Place]],
    roles: Sequence[tuple[str, Place]],
) -> Piece:
    def covers(place: Place) -> bool:
        return place.start <= at.start and at.end <= place.end

    # The longest is outermost, so that what lies in it is nested.
    over = sorted(((-p.length, number) for number, p in held if covers(p)))
    return Piece(
        text[at.start : at.end],
        tuple(number for _, number in over),
        tuple(sorted(number for number, p in held if p.start == at.start)),
        tuple(sorted({role for role, p in roles if covers(p)})),
    )
