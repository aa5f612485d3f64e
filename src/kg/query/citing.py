"""Citing the result of a query, and running a citation again to see whether it still holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any, Final

from kg.errors import BadArgument, NotCitable, ReleaseMissing
from kg.media import Form
from kg.namespaces import BASE
from kg.query.dataset import described_dataset
from kg.query.lexer import lexemes
from kg.query.ordering import ordering_of
from kg.query.reading import readable
from kg.query.request import QueryRequest
from kg.query.run import Answer, Plan, planned
from kg.query.volatility import is_volatile
from kg.settings import Settings
from kg.store.base import Dataset, Release
from kg.store.catalog import read_catalog
from kg.store.citations import Citation, Citations
from kg.store.digests import ResultDigest
from kg.store.embedded import EmbeddedStore
from kg.store.holding import held
from kg.store.releases import timestamp, version_of_kg

LONGEST_TITLE: Final = 200

Evaluate = Callable[[Plan], Answer]
"""Runs a plan: at once, or counted and listed as a server does."""


@dataclass(frozen=True, slots=True)
class About:
    """What may be said of a citation: a title of one's own, and the question that was asked."""

    title: str = ""
    question: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # No half of a character, no control character, and of all spaces only U+0020; but joiners,
        # without which some languages cannot be written.
        printable = self.title.translate(dict.fromkeys((0x200C, 0x200D))).isprintable()
        if len(self.title) > LONGEST_TITLE or not printable:
            raise BadArgument(
                "the title of the citation is too long, or has a character that none may have",
                remedy=f"Give it at most {LONGEST_TITLE} printable characters on one line.",
            )


class Outcome(Enum):
    """What came of running a citation again."""

    SAME = "same"
    REORDERED = "same solutions in another order"
    DIFFERENT = "different"
    GONE = "release gone"
    OTHER_RELEASE = "release differs"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a citation holds. `now` is the result of today, None where nothing was run.

    `release` and `release_digest` are of the release that it was run on.
    """

    outcome: Outcome
    citation: Citation
    release: str
    release_digest: str
    now: ResultDigest | None
    sentence: str

    @property
    def holds(self) -> bool:
        """Whether it is the same in every respect that the query fixes."""
        return self.outcome is Outcome.SAME

    def members(self) -> dict[str, Any]:
        """The verdict as JSON has it."""
        cited = self.citation
        then = {"digest": cited.digest, "rows": cited.rows}
        now = None if self.now is None else {"digest": self.now.digest, "rows": self.now.rows}
        if cited.ordered:
            then["sequence"] = cited.sequence
            now = None if self.now is None else (now or {}) | {"sequence": self.now.sequence}
        return {
            "citation": cited.id,
            "verdict": self.outcome.value,
            "release": self.release,
            "release_digest": self.release_digest,
            "cited_release": cited.release,
            "cited_release_digest": cited.release_digest,
            "cited": then,
            "now": now,
            "sentence": self.sentence,
            "notes": list(cited.notes),
        }


# --- citing -------------------------------------------------------------------------------


def cite(
    request: QueryRequest,
    store: EmbeddedStore,
    settings: Settings,
    evaluate: Evaluate,
    *,
    now: datetime,
    about: About | None = None,
) -> tuple[Citation, bool]:
    """The citation of what a query gives on a release, kept, and whether it is new.

    The release is held from the evaluation on until the citation is kept, which protects it then.
    Raises NotCitable for a query that gives something new each time, BadArgument where `rows` cut
    the answer, ReleaseMissing, what `planned` and `evaluate` raise, and what `Citations.add` does.
    """
    plan = _digesting(planned(replace(request, choose=readable), store, settings))
    _check_citable(request)
    with _held(plan.release, store):
        result = _evaluated(plan, evaluate)
        citation = _citation(plan, request, result, about or About(), now)
        return Citations(store.folder, settings.citations).add(citation)


def _check_citable(request: QueryRequest) -> None:
    if request.rows is not None:
        raise BadArgument(
            "only a whole result can be cited, and rows asks for the first ones",
            remedy="Write ORDER BY and LIMIT into the query.",
        )
    if is_volatile(request.query):
        raise NotCitable(
            "the query gives something new each time (NOW, RAND, UUID, STRUUID, BNODE or SERVICE),"
            " or it can be read so",
            "Write the value that is meant into the query, and a space after each “<”.",
        )


@contextmanager
def _held(release: Release, store: EmbeddedStore) -> Iterator[None]:
    """The release stays while the block runs; raises ReleaseMissing."""
    with ExitStack() as stack:
        try:
            stack.enter_context(held(release.folder))
        except FileNotFoundError as error:
            store.release(release.name)  # says better what became of it
            raise ReleaseMissing(release.name, "the request", ()) from error
        yield


def _digesting(plan: Plan) -> Plan:
    return replace(plan, task=replace(plan.task, digest=True))


def _evaluated(plan: Plan, evaluate: Evaluate) -> ResultDigest:
    with evaluate(plan).spool as spool:
        return ResultDigest.read(spool.read())


def _citation(
    plan: Plan, request: QueryRequest, result: ResultDigest, about: About, now: datetime
) -> Citation:
    ordering, select = ordering_of(request.query), plan.form is Form.SELECT
    return Citation(
        title=about.title,
        query=request.query,
        prefixes=_used(request.query, plan.task.prefixes),
        base=BASE,
        default_graphs=request.dataset.default_graphs,
        named_graphs=request.dataset.named_graphs,
        question=about.question,
        parameters=dict(about.parameters),
        release=plan.release.name,
        release_digest=plan.release.digest,
        release_time=plan.release.time,
        form=plan.form.value,
        variables=result.variables,
        rows=result.rows,
        ordered=ordering.ordered and select,
        cut=ordering.cut,
        notes=ordering.notes,
        digest=result.digest,
        sequence=result.sequence if ordering.ordered and select else "",
        engine=result.engine,
        kg=version_of_kg(),
        cited=timestamp(now),
        dataset=replace(read_catalog(plan.release.folder), description=""),
    )


def _used(query: str, prefixes: Mapping[str, str]) -> dict[str, str]:
    """The prefixes that the query uses and leaves to others to declare."""
    used, declared, before = set[str](), set[str](), ""
    for kind, text, _ in lexemes(query):
        if kind == "PREFIXED_NAME":
            (declared if before == "PREFIX" else used).add(text.partition(":")[0])
        if kind != "COMMENT":
            before = text.upper()
    return {name: prefixes[name] for name in sorted(used - declared) if name in prefixes}


# --- verifying ----------------------------------------------------------------------------


def verify(
    citation: Citation,
    store: EmbeddedStore,
    settings: Settings,
    evaluate: Evaluate,
    *,
    at: str | None = None,
) -> Verdict:
    """Whether the query gives what was cited: on its release, or on the one that `at` names.

    Where its release is gone, another one of the same digest does. Raises ReleaseMissing for
    an `at` that is not there, what `planned` and `evaluate` raise.
    """
    release = _release_for(citation, store, at)
    if release is None:
        return _without_result(citation, Outcome.GONE, "", "")
    if at is None and release.digest != citation.release_digest:
        return _without_result(citation, Outcome.OTHER_RELEASE, release.name, release.digest)
    plan = _again(citation, release, store, settings)
    with _held(release, store):
        result = _evaluated(plan, evaluate)
    return _compared(citation, release, result)


def _release_for(citation: Citation, store: EmbeddedStore, at: str | None) -> Release | None:
    if at is not None:
        return store.release(at)
    with suppress(ReleaseMissing):
        return store.release(citation.release)
    same = [each for each in store.releases() if each.digest == citation.release_digest]
    return same[-1] if same else None


def _again(citation: Citation, release: Release, store: EmbeddedStore, settings: Settings) -> Plan:
    """What a worker is to do, with the prefixes of then: another release may have others."""
    dataset = Dataset(citation.default_graphs, citation.named_graphs)
    asked = QueryRequest(
        query=citation.query, choose=readable, dataset=dataset, release=release.name
    )
    plan = planned(asked, store, settings)
    prefixes = {**plan.task.prefixes, **citation.prefixes}
    described = dataset or described_dataset(citation.query, prefixes)
    return _digesting(replace(plan, task=replace(plan.task, prefixes=prefixes, dataset=described)))


def _compared(citation: Citation, release: Release, now: ResultDigest) -> Verdict:
    outcome = Outcome.DIFFERENT
    if now.digest == citation.digest:
        in_order = not citation.ordered or now.sequence == citation.sequence
        outcome = Outcome.SAME if in_order else Outcome.REORDERED
    then, found = counted(citation.rows, citation.form), counted(now.rows, citation.form)
    sentence = {
        Outcome.SAME: f"The same: {then}, SHA-256 {citation.digest}, on release {release.name}.",
        Outcome.REORDERED: f"The same solutions in another order: {then} on release"
        f" {release.name}. The query has ORDER BY, and SPARQL does not fix the order of"
        " solutions that are equal in it.",
        Outcome.DIFFERENT: f"Different: {then} when it was cited, SHA-256 {citation.digest};"
        f" {found} on release {release.name}, SHA-256 {now.digest}.",
    }[outcome]
    return Verdict(outcome, citation, release.name, release.digest, now, sentence)


def _without_result(citation: Citation, outcome: Outcome, release: str, digest: str) -> Verdict:
    sentence = {
        Outcome.GONE: f"Release {citation.release} is gone, so that nothing was run. It can be"
        " compared with another release.",
        Outcome.OTHER_RELEASE: f"Release {citation.release} has the digest {digest} here, and was"
        f" cited with {citation.release_digest}: these are not the same data, so that nothing was"
        " run.",
    }[outcome]
    return Verdict(outcome, citation, release, digest, None, sentence)


def counted(rows: int, form: str) -> str:
    """The size of a result in words."""
    if form == Form.ASK.value:
        return "a boolean"
    noun = "solution" if form == Form.SELECT.value else "triple"
    return f"{rows:,} {noun}{'' if rows == 1 else 's'}"
