"""The tree of errors: each class writes what was met, where, and what to do.

KgError
├── BadSetting, UnknownSetting, MalformedSettings, BadArgument
├── ProjectError        NotAProject, MissingFile, MalformedFile
├── SourceError         UnknownKey, UnknownConcept, BadValue, BadPlace, DigestMismatch,
│                       UnsuitableText, UnmatchedText, DuplicateClaim,
│                       DuplicateArticle
├── RuleError, ShapesError
├── Rejected            the gate's findings
├── SetAside            what a strict bulk publish could not take
├── StoreError          NotAStore, OtherStoreFormat, NoRelease, ReleaseMissing, StoreBusy,
│                       StoreDamaged, CommitFailed, ForeignGraph, GraphChanged,
│                       OtherKindOfStore, NotABackup, BackupFailed,
│                       CitationsFull, NoSearchIndex
├── QueryError          QuerySyntax, QueryTooLarge, QueryTooDeep, RemoteRefused,
│                       UpdateRefused, DefaultGraphRefused, UnknownFunction,
│                       UnknownQuestion, BadParameter, NotCitable
├── EvaluationError     DeadlineExceeded, MemoryExceeded, WorkerDied, AnswerTooLarge,
│                       TooManyRows, QueueFull, QueryCancelled, EvaluationFailed
├── AccessError         Unauthorized, Forbidden, TooManyRequests
├── FormatError         NotAcceptable, UnsupportedBody, BodyTooLarge
├── UnknownResource     UnknownCitation
└── PortInUse
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file: line and column count from 1; None where it is not known."""

    file: Path
    line: int | None = None
    column: int | None = None
    key: str | None = None

    def __str__(self) -> str:
        position = "".join(f":{number}" for number in (self.line, self.column) if number)
        return f"{self.file}{position}"


class KgError(Exception):
    """Anything that `kg` refuses or cannot do, as a message for the person who asked."""

    kind: ClassVar[str] = "error"
    """Stable name of the error, the last segment of its problem type in HTTP."""
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, remedy: str = "", place: Place | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.place = place

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross from one process to another, and their __init__ takes other arguments.
        return _rebuilt, (type(self), self.args, self.__dict__)

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{where}{self.message}" + (f"\n  {self.remedy}" if self.remedy else "")


def _rebuilt(kind: type[KgError], args: tuple[object, ...], state: dict[str, object]) -> KgError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


def suggestion(word: str, known: Iterable[str]) -> str:
    """“Did you mean …?” for a word that is close to a known one, else an empty string."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"Did you mean {near[0]}?" if near else ""


class BadSetting(KgError):
    """A setting has a value that it cannot have."""

    kind = "bad-setting"
    exit_code = 2

    def __init__(self, name: str, met: str, wanted: str, place: Place | None = None) -> None:
        super().__init__(f"{name} is {met!r}", remedy=f"Give it {wanted}.", place=place)


class UnknownSetting(KgError):
    """A file of settings has a key that is none."""

    kind = "bad-setting"
    exit_code = 2

    def __init__(self, place: Place, key: str, known: Iterable[str]) -> None:
        known = sorted(known)
        super().__init__(
            f"there is no setting {key!r}",
            remedy=suggestion(key, known) or "Those that are known: " + ", ".join(known) + ".",
            place=place,
        )


class MalformedSettings(KgError):
    """A file of settings is not TOML."""

    kind = "bad-setting"
    exit_code = 2

    def __init__(self, place: Place, problem: str) -> None:
        super().__init__(
            f"this is not TOML: {problem}",
            remedy="Write one setting a line, such as: deadline = 10",
            place=place,
        )


class BadArgument(KgError):
    """A request or a command has an argument that it cannot have."""

    kind = "bad-request"
    exit_code = 2


# --- project and sources ------------------------------------------------------------------


class ProjectError(KgError):
    """Something is wrong with the project folder."""

    kind = "project"
    exit_code = 3


class NotAProject(ProjectError):
    """The folder is not a project: it lacks `ontology/` or `data/`."""

    def __init__(self, folder: Path, missing: str) -> None:
        super().__init__(
            f"{folder} is not a project folder: it has no {missing}",
            remedy="Name one that holds ontology/ and data/ with --project.",
        )


class MissingFile(ProjectError):
    """A file that is needed is not there."""

    def __init__(self, file: Path, why: str) -> None:
        super().__init__(f"{file} is not there; {why}", remedy="Create it, or name another file.")


class MalformedFile(ProjectError):
    """A file cannot be read as the format that it should have."""

    def __init__(self, place: Place, format_name: str, problem: str) -> None:
        super().__init__(
            f"this is not {format_name}: {problem}", remedy="Mend it at this place.", place=place
        )


class SourceError(KgError):
    """An article's source says something that cannot be taken."""

    kind = "source"
    exit_code = 3


class UnknownKey(SourceError):
    """A key is not one of those that this place takes."""

    def __init__(self, place: Place, key: str, known: Iterable[str]) -> None:
        known = sorted(known)
        super().__init__(
            f"unknown key {key!r}",
            remedy=suggestion(key, known) or "This place takes: " + ", ".join(known) + ".",
            place=place,
        )


class UnknownConcept(SourceError):
    """A value names a concept, an entity or an area that nothing declares."""

    def __init__(self, place: Place, key: str, met: str, iri: str, known: Iterable[str]) -> None:
        super().__init__(
            f"{key} names {met}, and nothing declares <{iri}>",
            remedy=suggestion(met, known)
            or "Declare it in ontology/concepts/ or data/reference/, or correct the name.",
            place=place,
        )


class BadValue(SourceError):
    """A value is not of the kind that its key takes."""

    def __init__(self, place: Place, key: str, met: object, wanted: str) -> None:
        super().__init__(f"{key} is {met!r}", remedy=f"It takes {wanted}.", place=place)


class BadPlace(SourceError):
    """A place in the text is none: outside of it, reversed, not found, or not yet resolved."""


class DigestMismatch(SourceError):
    """A digest in the source is not that of the text that was supplied."""

    def __init__(self, place: Place, what: str, recorded: str, found: str) -> None:
        super().__init__(
            f"the digest of {what} is {recorded[:12]}… in the source, {found[:12]}… in the text",
            remedy="Supply the text that was annotated, or place the anchor anew with"
            " kg check --write --text FILE.",
            place=place,
        )


class UnsuitableText(SourceError):
    """The text is not UTF-8 with LF line ends and without a byte-order mark."""

    def __init__(self, place: Place, problem: str) -> None:
        super().__init__(
            problem,
            remedy="Anchors count code points of UTF-8 text with LF line ends and no byte-order"
            " mark: supply the file as it was when it was annotated.",
            place=place,
        )


class UnmatchedText(SourceError):
    """A text was supplied that no article was annotated from."""

    def __init__(self, file: Path, digest: str) -> None:
        super().__init__(
            f"no article has the text {file}, whose digest is {digest[:12]}…",
            remedy="Supply the text as it was when it was annotated: one changed code point"
            " moves every place after it.",
        )


class DuplicateClaim(SourceError):
    """Two claims of one kind stand on one anchor, so they would be one node."""

    def __init__(self, place: Place, iri: str, first: Place) -> None:
        super().__init__(
            f"a claim of this kind stands on the same words already, at line {first.line}"
            f" (<{iri}>)",
            remedy="Narrow the place of one of them to its own clause, or take one out.",
            place=place,
        )


class DuplicateArticle(SourceError):
    """Two sources describe one article: they have the same text, or the same address."""

    def __init__(self, place: Place, iri: str, first: Place) -> None:
        super().__init__(
            f"this article is described by {first} already (<{iri}>)",
            remedy="Take one of the two sources out; what both say belongs in one.",
            place=place,
        )


class RuleError(KgError):
    """A rule of `ontology/rules/` or `ontology/audit/` cannot be run."""

    kind = "rule"
    exit_code = 3


class ShapesError(KgError):
    """A shapes file cannot be read, or holds a shape that is none."""

    kind = "shapes"
    exit_code = 3


class EngineRefused(KgError):
    """The fast validation engine cannot be relied on here, or is not installed."""

    kind = "engine-refused"
    exit_code = 3

    def __init__(self, problem: str) -> None:
        remedy = "pip install 'kg[fast]', or turn the setting `fast` off: pyshacl then checks all."
        super().__init__(problem, remedy=remedy)


class EnginesDisagree(KgError):
    """The fast engine accepted what pyshacl finds fault with; nothing was written."""

    kind = "engines-disagree"
    exit_code = 4

    def __init__(self, findings: Sequence[str]) -> None:
        super().__init__(
            f"the fast engine accepts what pyshacl does not: {'; '.join(findings[:5])}",
            remedy="Turn the setting `fast` off and write again; tell the engine's makers.",
        )


_MOST_FINDINGS = 500
"""Findings that a message shows; nobody reads more, and a report has them all."""


class Rejected(KgError):
    """The gate found violations; nothing was written. `findings` are their one-line texts.

    `report` is the SHACL report in Turtle, where one was made.
    """

    kind = "rejected"
    exit_code = 4

    def __init__(
        self,
        findings: Sequence[str],
        report: bytes = b"",
        *,
        remedy: str = "Mend the source at the places named, then run kg check.",
    ) -> None:
        count = len(findings)
        noun = "violation" if count == 1 else "violations"
        more = [f"… and {count - _MOST_FINDINGS} more"] if count > _MOST_FINDINGS else []
        lines = (f"the gate found {count} {noun}; nothing was written", *findings[:_MOST_FINDINGS])
        super().__init__("\n".join((*lines, *more)), remedy=remedy)
        self.findings = tuple(findings)
        self.report = report


class SetAside(KgError):
    """A bulk publish that is strict had to set something aside; nothing was written."""

    kind = "set-aside"
    exit_code = 4

    def __init__(self, count: int, quarantine: Path) -> None:
        super().__init__(
            f"{count} could not be published, and so nothing was",
            remedy=f"{quarantine} says why. Without --strict the others land.",
        )


# --- store --------------------------------------------------------------------------------


class StoreError(KgError):
    """Something is wrong with the store folder."""

    kind = "store"
    exit_code = 5


class NotAStore(StoreError):
    """The folder exists, and it is not a store."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder} is not a store: it has files, and no kg-store.json among them",
            remedy="Name an empty or a new folder with --store, or one that kg build made.",
        )


class OtherStoreFormat(StoreError):
    """The store, or the backup of one, has a format that another version of `kg` wrote.

    `by` is the version that wrote it, empty where nothing says so.
    """

    def __init__(self, path: Path, met: object, known: int, *, by: str = "") -> None:
        writer = f"kg {by}" if by else "another kg"
        if isinstance(met, int):
            writer = f"{writer}, which is {'newer' if met > known else 'older'}"
        super().__init__(
            f"{path} has store format {met!r}, written by {writer}; this kg knows format {known}",
            remedy=f"Build a new store from the project: kg build --store OTHER. Or restore a"
            f" backup of format {known}: kg restore FILE --store OTHER. To read this one, install"
            f" the kg that wrote it: pip install {f'kg=={by}' if by else '--upgrade kg'}.",
        )


class NotABackup(StoreError):
    """The file is no backup, or it is damaged; nothing was restored from it."""

    def __init__(self, file: Path, problem: str) -> None:
        super().__init__(
            f"{file} cannot be restored: {problem}",
            remedy="Nothing was written. Take another copy of it, or an earlier backup.",
        )


class CitationsFull(StoreError):
    """The store keeps as many citations as it may."""

    kind = "citations-full"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"there are {limit} citations, and no more are taken",
            remedy="An operator can raise KG_CITATIONS. What is cited already can be cited again.",
        )
        self.limit = limit


class BackupFailed(StoreError):
    """A backup could not be written, or restored; nothing of it is left."""


class NoRelease(StoreError):
    """The store has no release yet."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} has no release yet", remedy="Make one with kg build.")


class ReleaseMissing(StoreError):
    """HEAD or a request names a release that is not there."""

    kind = "no-such-release"

    def __init__(self, named: str, by: str, there: Sequence[str]) -> None:
        super().__init__(
            f"{by} names release {named!r}, which is not there",
            remedy=f"There are: {', '.join(there)}." if there else "Make one with kg build.",
        )


class ReleaseRemoved(ReleaseMissing):
    """A request names a release that retention took away."""

    kind = "release-removed"

    def __init__(self, name: str, digest: str, removed: str) -> None:
        StoreError.__init__(
            self,
            f"release {name} was removed at {removed}; its digest was {digest}",
            remedy="Ask a release that is kept; `kg releases` lists them. A copy of the store may"
            " hold this one.",
        )


class NoSearchIndex(StoreError):
    """A release has no full-text index: an earlier kg made it, or its store is a plain one."""

    kind = "no-search-index"

    def __init__(self, release: str) -> None:
        super().__init__(
            f"release {release} has no search index",
            remedy="The next write that changes a public graph makes one for the release that it"
            " makes; a new store has one at once: kg build --store OTHER. Search that release.",
        )


class StoreBusy(StoreError):
    """Another process is writing."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"another process is writing to {folder}", remedy="Wait for it to end, and try again."
        )

    @classmethod
    def of_write(cls) -> StoreBusy:
        """The error of a client, who is not told where the store lies."""
        error = cls(Path())
        error.message = "another write is under way"
        return error


class StoreDamaged(StoreError):
    """A release cannot be opened."""


class OtherKindOfStore(StoreError):
    """The store is a plain one and must not be, or the other way round."""

    def __init__(self, folder: Path, *, plain: bool) -> None:
        kind = "a plain store, made for conformance tests" if plain else "no plain store"
        super().__init__(
            f"{folder} is {kind}",
            remedy="Name another folder with --store; KG_PLAIN says which kind is meant.",
        )


class CommitFailed(StoreError):
    """The commit could not be finished; the store is as it was."""

    def __init__(self, folder: Path, problem: str, remedy: str) -> None:
        super().__init__(
            f"no release was made in {folder}: {problem}",
            remedy=f"{remedy} The release before it is untouched.",
        )


class ForeignGraph(StoreError):
    """A write names a graph that another owner has."""

    kind = "foreign-graph"

    def __init__(self, graph: str, owner: str, writer: str, file: str = "") -> None:
        super().__init__(
            f"<{graph}> belongs to {owner}, and {writer} may not write it",
            remedy="Take it out of what is published, and run kg publish --replace with the rest."
            if owner == "published"
            else f"Edit {file or 'the files that it is built from'},"
            " or write to a graph of another name.",
        )


class GraphChanged(StoreError):
    """A write rests on a state of a graph that is no longer the graph's state."""

    kind = "graph-changed"

    def __init__(self, graph: str) -> None:
        super().__init__(
            f"<{graph}> is not in the state that this write expects",
            remedy="Read it again, and write with its present ETag.",
        )


# --- queries ------------------------------------------------------------------------------


class QueryError(KgError):
    """The query itself must change."""

    kind = "query"
    exit_code = 6


class QuerySyntax(QueryError):
    """The text is not SPARQL; `line` and `column` count from 1 where they are known."""

    kind = "query-syntax"

    def __init__(self, problem: str, line: int | None = None, column: int | None = None) -> None:
        where = f" at line {line}, column {column}" if line else ""
        super().__init__(f"the query is not SPARQL{where}: {problem}")
        self.line = line
        self.column = column


class QueryTooLarge(QueryError):
    """The query has more bytes than a query may have."""

    kind = "query-too-large"

    def __init__(self, met: int, limit: int) -> None:
        super().__init__(
            f"the query has {met} bytes; the limit is {limit}",
            remedy="Ask in several queries. An operator can raise KG_QUERY_BYTES.",
        )
        self.limit = limit


class QueryTooDeep(QueryError):
    """Brackets nest deeper than they may."""

    kind = "query-too-deep"

    def __init__(self, limit: int, line: int, column: int) -> None:
        super().__init__(
            f"at line {line}, column {column} the query nests deeper than {limit} levels",
            remedy="Flatten its groups or expressions. An operator can raise KG_NESTING.",
        )
        self.limit = limit
        self.line = line
        self.column = column


class RemoteRefused(QueryError):
    """The query would make this server call another one (SERVICE, LOAD)."""

    kind = "remote-refused"

    def __init__(self, keyword: str, target: str, line: int, column: int) -> None:
        super().__init__(
            f"{keyword} {target} at line {line}, column {column} would call another server",
            remedy="No endpoint may be called from here: ask it yourself and join the answers.",
        )
        self.line = line
        self.column = column


class UpdateRefused(QueryError):
    """The text is an update where only queries are taken."""

    kind = "update-refused"

    def __init__(self, keyword: str) -> None:
        super().__init__(
            f"{keyword} is an update, and this endpoint only reads",
            remedy="Send SELECT, ASK, CONSTRUCT or DESCRIBE; data is written with kg build.",
        )


class DefaultGraphRefused(QueryError):
    """An update would write to the default graph, which is the union of the named ones."""

    kind = "default-graph"

    def __init__(self, what: str, line: int | None = None, column: int | None = None) -> None:
        where = f" at line {line}, column {column}" if line else ""
        super().__init__(
            f"{what}{where} would write to the default graph, which is the union of the named ones",
            remedy="Name a graph: GRAPH <…> { … } around the triples, or WITH <…> before them.",
        )
        self.line = line
        self.column = column


class UnknownFunction(QueryError):
    """The query calls a function that is not of SPARQL and not known here."""

    kind = "unknown-function"

    def __init__(self, function: str) -> None:
        super().__init__(
            f"there is no function {function}",
            remedy="Use the functions of SPARQL, the casts of XML Schema and those of"
            " docs/functions.md.",
        )


class UnknownQuestion(QueryError):
    """No named question has this name."""

    kind = "unknown-question"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        known = sorted(known)
        super().__init__(
            f"there is no question {name!r}, no file of that name, and it is not a query",
            remedy=suggestion(name, known) or "Questions: " + ", ".join(known) + ".",
        )


class BadParameter(QueryError):
    """A parameter of a named question is unknown or has a value of another type."""

    kind = "bad-parameter"


class NotCitable(QueryError):
    """The query, or its result, cannot be cited."""

    kind = "not-citable"

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"this cannot be cited: {problem}", remedy=remedy)


class EvaluationError(KgError):
    """The query is well-formed, and its answer could not be had."""

    kind = "evaluation"
    exit_code = 7


class DeadlineExceeded(EvaluationError):
    """The query took longer than its deadline; its worker was ended."""

    kind = "deadline-exceeded"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the query was ended after {seconds:g} s, its deadline",
            remedy="Bind more terms, add a LIMIT, or split it. An operator can raise KG_DEADLINE.",
        )
        self.limit = seconds

    @classmethod
    def of_write(cls, seconds: float) -> DeadlineExceeded:
        """The error of a write; where it was ended last of all, it may have landed."""
        error = cls(seconds)
        error.message = f"the write was ended after {seconds:g} s"
        error.remedy = "Look whether it landed; else split it. KG_WRITE_SECONDS can be raised."
        return error

    @classmethod
    def of_validation(cls, seconds: float) -> DeadlineExceeded:
        """The error of a validation."""
        error = cls(seconds)
        error.message = f"the validation was ended after {seconds:g} s, its deadline"
        error.remedy = "Send the data in parts. An operator can raise KG_DEADLINE."
        return error


class MemoryExceeded(EvaluationError):
    """The query needed more memory than a worker has."""

    kind = "memory-exceeded"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"the query needed more than the {limit // (1024 * 1024)} MiB that a worker may take",
            remedy="Sort or group fewer solutions. An operator can raise KG_WORKER_MEMORY.",
        )
        self.limit = limit

    @classmethod
    def of_write(cls, limit: int) -> MemoryExceeded:
        """The error of a write."""
        error = cls(limit)
        error.message = f"the write needed more than the {limit // (1024 * 1024)} MiB it may take"
        error.remedy = "Split it. An operator can raise KG_WRITER_MEMORY."
        return error

    @classmethod
    def of_validation(cls, limit: int) -> MemoryExceeded:
        """The error of a validation."""
        error = cls.of_write(limit)
        error.message = error.message.replace("the write", "the validation", 1)
        return error


class WorkerDied(EvaluationError):
    """The process that evaluated the query ended on it."""

    kind = "worker-died"

    def __init__(self, cause: str) -> None:
        super().__init__(
            f"the worker that evaluated the query ended: {cause}",
            remedy="Simplify the query: deep nesting or very long lists of patterns do this.",
        )

    @classmethod
    def of_write(cls, cause: str) -> WorkerDied:
        """The error of a write, which then did not land."""
        error = cls(cause)
        error.message = "the process that made the write ended on it"
        error.remedy = "Simplify it: deep nesting does this."
        return error

    @classmethod
    def of_validation(cls, cause: str) -> WorkerDied:
        """The error of a validation."""
        error = cls(cause)
        error.message = "the process that validated the data ended on it"
        error.remedy = "Simplify it: deep nesting does this."
        return error

    @classmethod
    def of_check(cls, cause: str) -> WorkerDied:
        """The error of a check in several processes, of which one is gone."""
        error = cls(cause)
        error.message = f"a process that checked articles ended: {cause}"
        error.remedy = "It was killed, or memory ran out: try again, or with KG_CHECK_PROCESSES=1."
        return error


class AnswerTooLarge(EvaluationError):
    """The answer has more bytes than an answer may have."""

    kind = "answer-too-large"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"the answer has more than {limit} bytes",
            remedy="Add a LIMIT and fetch it in parts. An operator can raise KG_ANSWER_BYTES.",
        )
        self.limit = limit


class TooManyRows(EvaluationError):
    """The answer has more solutions or triples than an answer may have."""

    kind = "too-many-rows"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"the answer has more than {limit} solutions or triples",
            remedy="Add a LIMIT, or ask with rows=N for the first N. An operator can raise"
            " KG_ANSWER_ROWS.",
        )
        self.limit = limit


class QueueFull(EvaluationError):
    """Every worker was busy for as long as a query may wait, or too many were waiting."""

    kind = "busy"

    def __init__(self, waited: float) -> None:
        super().__init__(
            f"every worker was busy for {waited:g} s" if waited else "too many queries are waiting",
            remedy="Try again in a few seconds.",
        )


class QueryCancelled(EvaluationError):
    """Whoever has the query's key, or its client by leaving, ended it."""

    kind = "cancelled"

    def __init__(self) -> None:
        super().__init__("the query was cancelled", remedy="Send it again to have its answer.")


class EvaluationFailed(EvaluationError):
    """The engine reported an error of its own."""

    kind = "evaluation-failed"

    def __init__(self, problem: str) -> None:
        super().__init__(f"the engine could not evaluate the query: {problem}")


# --- formats and doors --------------------------------------------------------------------


class AccessError(KgError):
    """The client may not do this, or not now."""

    kind = "access"


class Unauthorized(AccessError):
    """A write came without a token that is valid; `challenge` says so as RFC 6750 has it."""

    kind = "unauthorized"

    def __init__(self, problem: str, *, challenge: str = "Bearer") -> None:
        super().__init__(
            problem, remedy="Send “Authorization: Bearer TOKEN”; an operator makes one: kg token."
        )
        self.challenge = challenge


class Forbidden(AccessError):
    """The token does not allow this, or nobody may do it."""

    kind = "forbidden"


class TooManyRequests(AccessError):
    """One client started more evaluations than it may in this time."""

    kind = "too-many-requests"

    def __init__(
        self, limit: int, seconds: int, what: str = "queries", setting: str = "client_rate"
    ) -> None:
        super().__init__(
            f"more than {limit} {what} came from this address within a minute",
            remedy=f"Try again in {seconds} s. An operator can raise KG_{setting.upper()}.",
        )
        self.limit = limit
        self.seconds = seconds


class FormatError(KgError):
    """A format is asked for or sent that is not taken."""

    kind = "format"
    exit_code = 2


class NotAcceptable(FormatError):
    """None of the formats asked for can be given."""

    kind = "not-acceptable"

    def __init__(self, asked: str, offered: Iterable[str]) -> None:
        self.offered = tuple(offered)
        super().__init__(
            f"this answer cannot be given as {asked}",
            remedy="It can be given as: " + ", ".join(self.offered) + ".",
        )


class UnsupportedBody(FormatError):
    """The request body has a media type that is not taken."""

    kind = "unsupported-media-type"

    def __init__(self, met: str, taken: Iterable[str]) -> None:
        super().__init__(
            f"a body of type {met or '(none)'} is not taken here",
            remedy="Send one of: " + ", ".join(taken) + ".",
        )


class BodyTooLarge(FormatError):
    """The request body has more bytes than a body may have."""

    kind = "body-too-large"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"the request body has more than {limit} bytes",
            remedy="Send less. An operator can raise KG_BODY_BYTES, or KG_WRITE_BYTES for writes.",
        )
        self.limit = limit


class UnknownResource(KgError):
    """Nothing is known by the name that was asked for; `iri` where that is one.

    `release` is one that does know it, where another has been looked into.
    """

    kind = "not-found"
    iri: str = ""
    release: str = ""


class UnknownCitation(UnknownResource):
    """The store has no citation of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"there is no citation {name[:80]!r} here",
            remedy="Write all of its 16 digits, as they stand after /c/ in its address.",
        )


class MalformedData(FormatError):
    """Bytes that should be RDF are not of the format that they came as; counts from 1."""

    kind = "malformed-data"

    def __init__(
        self,
        format_name: str,
        problem: str,
        line: int | None = None,
        column: int | None = None,
        *,
        remedy: str = "Mend it at this place.",
    ) -> None:
        super().__init__(f"this is not {format_name}: {problem}", remedy=remedy)
        self.problem = problem
        self.line = line
        self.column = column


class PortInUse(KgError):
    """The address cannot be bound."""

    kind = "port-in-use"
    exit_code = 8

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(
            f"{host}:{port} cannot be listened on: {reason}",
            remedy="End the program that has it, or choose another with --port or --host.",
        )
