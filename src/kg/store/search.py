"""Full-text search of a release: labels first, then texts, each with the words that were found."""

from __future__ import annotations

import re
import secrets
import sqlite3
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kg.errors import BadArgument, DeadlineExceeded
from kg.namespaces import RF
from kg.store.index import (
    CLASSES,
    KIND_OF,
    KINDS,
    LABELS,
    OTHER,
    PROPERTIES,
    TOKENS,
    TooSlow,
    number_of,
    opened,
    within,
)

_MOST_CHARACTERS: Final = 300
_MOST_WORDS: Final = 16
_SOME: Final = 1_000
"""Texts that are ranked where there are too many to rank them all in time."""
_SHOWING: Final = 2.0
"""Seconds that counting what was found, and showing a part of it, may take."""
_SNIPPET: Final = 32
"""Words of a long text that are shown around those that were found."""

_ASKED: Final = re.compile(r'"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+)')
_LONG_NUMBER: Final = re.compile(r"[0-9]{4,15}")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text, and whether it is one of the words that were looked for."""

    text: str
    found: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """A resource that was found by a text of it; `shown` is that text, or the part that matters."""

    subject: str
    kind: str
    predicate: str
    text: str
    language: str
    shown: tuple[Piece, ...]

    @property
    def is_label(self) -> bool:
        """Whether the text is what the resource is called."""
        return self.predicate in LABELS


@dataclass(frozen=True, slots=True)
class Found:
    """A part of what was found: labels that are the words first, then labels, then texts.

    `total` counts what there is of the kinds that were asked for, `kinds` of each kind. Where it
    is not `complete` there was too much to rank, and these are of some only.
    """

    hits: tuple[Hit, ...]
    total: int
    kinds: Mapping[str, int]
    complete: bool


NOTHING: Final = Found((), 0, {}, True)


def search(
    release: Path,
    asked: str,
    *,
    kinds: Sequence[str] = (),
    limit: int = 20,
    offset: int = 0,
    seconds: float = 1.0,
) -> Found:
    """What has a text with all these words; the last may be the beginning of one.

    A claim has the words of what its area and its cohort are called besides those of its texts.
    `"words in quotes"` stand side by side, and `word*` begins a word. Accents and case do not
    matter. Whoever calls this holds the release. Raises BadArgument for too many words,
    NoSearchIndex, StoreDamaged, and DeadlineExceeded after some such seconds.
    """
    parts = _parts(asked)
    if not parts:
        return NOTHING
    with opened(release) as index:
        complete = _ranked(index, parts, asked, seconds)
        complete = _reached(index, parts, seconds) and complete
        with _in_time(index, _SHOWING):
            return Found(
                hits=tuple(_page(index, parts, kinds, limit, offset)),
                total=_total(index, kinds),
                kinds=_counts(index),
                complete=complete,
            )


def find(index: sqlite3.Connection, asked: str, seconds: float) -> bool:
    """Put what has all these words into the table `hit`, by `subject`; whether that is all.

    Raises what `search` raises.
    """
    return _ranked(index, _parts(asked) or ['""'], asked, seconds)


def begun(release: Path, iri: str, limit: int) -> list[str]:
    """IRIs that have a name or a class and begin so, in their order.

    Whoever calls this holds the release. Raises NoSearchIndex, StoreDamaged and DeadlineExceeded.
    """
    query = (
        "SELECT iri FROM term WHERE iri >= ? AND iri < ?"
        " AND (EXISTS (SELECT 1 FROM entry WHERE subject = term.id)"
        " OR EXISTS (SELECT 1 FROM type WHERE subject = term.id)) ORDER BY iri LIMIT ?"
    )
    with opened(release) as index, _in_time(index, _SHOWING):
        return [str(row[0]) for row in index.execute(query, (iri, iri + "\U0010ffff", limit))]


# --- looking for words --------------------------------------------------------------------


def _parts(asked: str) -> list[str]:
    """What FTS5 is to match, all of them: each in quotes of ours, so that none of it steers."""
    if len(asked) > _MOST_CHARACTERS:
        raise BadArgument(
            f"the search has {len(asked)} characters",
            remedy=f"Look for fewer words: {_MOST_CHARACTERS} characters at most.",
        )
    parts = [match for match in _ASKED.finditer(asked) if _has_word(match[0])]
    if len(parts) > _MOST_WORDS:
        raise BadArgument(
            f"the search has {len(parts)} words",
            remedy=f"Look for {_MOST_WORDS} at most; words in quotes count as one.",
        )
    return [_part(match, last=match is parts[-1]) for match in parts]


def _part(match: re.Match[str], *, last: bool) -> str:
    phrase, word = match["phrase"], match["word"]
    if phrase is not None:
        return _quoted(phrase)
    begins = last or word.endswith("*")
    written = _quoted(word.rstrip("*")) + ("*" if begins else "")
    bare = word.rstrip("*")
    if _LONG_NUMBER.fullmatch(bare):
        return f"({written} OR {_quoted(f'{int(bare):,}')})"  # 3417 as a text may write it: 3,417
    return written


def _quoted(words: str) -> str:
    return '"' + words.replace('"', '""').replace("\0", " ") + '"'


def _has_word(text: str) -> bool:
    return any(unicodedata.category(each)[0] in "LN" for each in text)


def _folded(text: str) -> str:
    """The words alone, without accents and case."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(re.findall(r"\w+", "".join(c for c in apart if not unicodedata.combining(c))))


def _ranked(index: sqlite3.Connection, parts: Sequence[str], asked: str, seconds: float) -> bool:
    """Put one row a resource into the table `hit`; whether all of them are there."""
    exact = _folded(asked)

    def rank(label: str) -> int:
        return 0 if len(label) <= 2 * len(asked) + 8 and _folded(label) == exact else 1

    index.create_function("rank_of", 1, rank, deterministic=True)
    for bound, complete in (("", True), (f"LIMIT {_SOME}", False)):
        with suppress(TooSlow), within(index, seconds):
            index.execute("DROP TABLE IF EXISTS temp.hit")
            index.execute(_HITS.format(bound=bound), (" AND ".join(parts),))
            return complete
    raise DeadlineExceeded(seconds)


_HITS: Final = f"""
CREATE TEMP TABLE hit AS
WITH found AS MATERIALIZED (
    SELECT entry.id AS id, entry.subject AS subject,
           CASE WHEN entry.property < {len(LABELS)} THEN rank_of(entry.text) ELSE 2 END * 1000.0
           + bm25(words) AS rank
    FROM words CROSS JOIN entry ON entry.id = words.rowid
    WHERE words MATCH ? {{bound}})
SELECT id, subject, MIN(rank) AS rank,
       (SELECT MIN(class) FROM type WHERE type.subject = found.subject) AS class
FROM found GROUP BY subject
"""  # noqa: S608 - a number of ours


def _reached(index: sqlite3.Connection, parts: Sequence[str], seconds: float) -> bool:
    """Add the claims that have some words by their area or cohort, after all others.

    Whether that was done in time.
    """
    try:
        with within(index, seconds):
            index.execute("DROP TABLE IF EXISTS temp.reached")
            index.execute("CREATE TEMP TABLE reached (claim, part, PRIMARY KEY (claim, part))")
            index.executemany(_BY_LABELS, enumerate(parts))
            index.executemany(_BY_TEXTS, enumerate(parts))
            index.execute(_REACHED, (len(parts),))
    except TooSlow:
        return False
    return True


_CLAIM: Final = CLASSES.index(f"{RF}Claim")
_BY_LABELS: Final = f"""
INSERT OR IGNORE INTO reached
SELECT link.subject, ?1 FROM words
CROSS JOIN entry ON entry.id = words.rowid AND entry.property < {len(LABELS)}
CROSS JOIN link ON link.property IN ({number_of("area")}, {number_of("cohort")})
    AND link.object = entry.subject
CROSS JOIN type ON type.subject = link.subject AND type.class = {_CLAIM}
WHERE words MATCH ?2
"""  # noqa: S608 - numbers of ours
_BY_TEXTS: Final = """
INSERT OR IGNORE INTO reached
SELECT entry.subject, ?1 FROM words CROSS JOIN entry ON entry.id = words.rowid
WHERE words MATCH ?2 AND entry.subject IN (SELECT claim FROM reached)
"""
_REACHED: Final = f"""
INSERT INTO hit (id, subject, rank, class)
SELECT (SELECT id FROM entry WHERE entry.subject = claim
        ORDER BY property <> {PROPERTIES.index(f"{RF}reportedText")}, id LIMIT 1) AS id,
       claim, 3000.0, {_CLAIM}
FROM reached WHERE claim NOT IN (SELECT subject FROM hit)
GROUP BY claim HAVING COUNT(*) = ? AND id IS NOT NULL
"""  # noqa: S608 - numbers of ours


@contextmanager
def _in_time(index: sqlite3.Connection, seconds: float) -> Iterator[None]:
    """Raises DeadlineExceeded after so many seconds."""
    try:
        with within(index, seconds):
            yield
    except TooSlow as error:
        raise DeadlineExceeded(seconds) from error


def _of_kinds(kinds: Sequence[str]) -> tuple[str, list[int]]:
    """The condition on rows of `hit`, and its values."""
    if not kinds:
        return "", []
    numbers = [number for number, kind in KIND_OF.items() if kind in kinds]
    other = " OR class IS NULL" if OTHER in kinds else ""
    return f"WHERE (class IN ({', '.join('?' * len(numbers))}){other})", numbers


def _total(index: sqlite3.Connection, kinds: Sequence[str]) -> int:
    where, values = _of_kinds(kinds)
    (count,) = index.execute(f"SELECT COUNT(*) FROM hit {where}", values).fetchone()  # noqa: S608
    return int(count)


def _counts(index: sqlite3.Connection) -> dict[str, int]:
    counts = dict.fromkeys((*KINDS, OTHER), 0)
    for number, count in index.execute("SELECT class, COUNT(*) FROM hit GROUP BY class"):
        counts[KIND_OF.get(number, OTHER)] += count
    return {kind: count for kind, count in counts.items() if count}


def _page(
    index: sqlite3.Connection, parts: Sequence[str], kinds: Sequence[str], limit: int, offset: int
) -> Iterator[Hit]:
    where, values = _of_kinds(kinds)
    rows = index.execute(
        "SELECT hit.id, iri, class FROM hit JOIN term ON term.id = subject "  # noqa: S608 - the condition is ours
        f"{where} ORDER BY rank, hit.id LIMIT ? OFFSET ?",
        (*values, limit, offset),
    ).fetchall()
    shown = _shown(index, [id for id, _, _ in rows], parts)
    for id, subject, number in rows:
        property, text, language = index.execute(
            "SELECT property, text, language FROM entry WHERE id = ?", (id,)
        ).fetchone()
        pieces = shown.get(id) or (Piece(_beginning(text), False),)
        yield Hit(subject, KIND_OF.get(number, OTHER), PROPERTIES[property], text, language, pieces)


def _shown(
    index: sqlite3.Connection, ids: Sequence[int], parts: Sequence[str]
) -> dict[int, tuple[Piece, ...]]:
    """What is shown of these texts; none of one that has no word, but is reached by a label.

    They are matched again by themselves: in `words` each would cost as much as all there are.
    """
    mark, ends = secrets.token_hex(8), secrets.token_hex(8)  # no text can hold them
    index.execute("DROP TABLE IF EXISTS temp.shown")
    index.execute(f"CREATE VIRTUAL TABLE temp.shown USING fts5(text, tokenize='{TOKENS}')")
    index.executemany(
        "INSERT INTO temp.shown (rowid, text) SELECT id, text FROM entry WHERE id = ?",
        ((id,) for id in ids),
    )
    found: dict[int, tuple[Piece, ...]] = {}
    for wanted in (" OR ".join(parts), " AND ".join(parts)):
        rows = index.execute(
            "SELECT rowid, snippet(shown, 0, ?, ?, '…', ?) FROM temp.shown WHERE shown MATCH ?",
            (mark, ends, _SNIPPET, wanted),
        )
        found.update((id, tuple(_pieces(text, mark, ends))) for id, text in rows)
    return found


def _beginning(text: str) -> str:
    words = text.split(maxsplit=_SNIPPET)
    return text if len(words) <= _SNIPPET else " ".join(words[:_SNIPPET]) + "…"


def _pieces(shown: str, mark: str, ends: str) -> Iterator[Piece]:
    before, *marked = shown.split(mark)
    if before:
        yield Piece(before, False)
    for each in marked:
        found, _, after = each.partition(ends)
        yield Piece(found, True)
        if after:
            yield Piece(after, False)
