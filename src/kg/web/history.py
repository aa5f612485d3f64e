"""The history over HTTP: `/releases` lists the releases, `/diff` tells how two of them differ."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import urlencode

from flask import Request, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import PreconditionFailed
from werkzeug.wrappers import Response

from kg.errors import AnswerTooLarge, BadArgument, DeadlineExceeded, EvaluationError, QueueFull
from kg.media import CLAIMS, RDF_PATCH, RECORD, Format
from kg.query.changes import Difference, changes
from kg.query.claims import Asking
from kg.query.telling import plain, told, written_json
from kg.settings import Settings
from kg.store.base import Coding, Differing, Release, Spool
from kg.store.differences import Written, differing_graphs, kept, touched_graph
from kg.store.embedded import EmbeddedStore
from kg.store.packing import packed_bytes
from kg.store.tags import all_tags
from kg.web.answers import Reply
from kg.web.bodies import Content, content_of, size
from kg.web.bodies import kept as kept_bytes
from kg.web.conditions import has, holds
from kg.web.dumps import known_release
from kg.web.exchange import Came, Exchange
from kg.web.headers import Fields
from kg.web.links import base_url
from kg.web.negotiation import coding, needs_packing
from kg.web.running import Running
from kg.web.uploads import at_most_one, pairs_of

_AT_ONCE: Final = 2
"""Differences whose claims are read at one moment: that is work of this process."""
_MOST_CLAIMS: Final = 10_000
_MOST_TOUCHED: Final = 16 * 1024 * 1024
"""Bytes in which a worker may tell what differs; more would be held in memory here."""
_LEAST_PACKED: Final = 1024
_UNCHANGING: Final = "public, max-age=31536000, immutable"
_NEARER: Final = (
    "Compare releases that are nearer to each other, take the quads (format=quads or patch), or"
    " run kg diff where the store is."
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two releases; `immutable` where the request has both by their full names."""

    before: Release
    after: Release
    immutable: bool


@dataclass(frozen=True, slots=True)
class _Asked:
    """Two releases, and how their difference is to be written."""

    pair: Pair
    format: Format
    packing: Coding
    always_packed: bool

    def etag(self) -> str:
        """The validator of the answer, known before anything is compared."""
        parts = (
            "diff",
            self.pair.before.name,
            self.pair.after.name,
            self.format.name,
            self.packing.value,
            str(self.always_packed),
        )
        digest = hashlib.sha256("\0".join(parts).encode()).digest()
        return f'"{base64.urlsafe_b64encode(digest[:18]).decode()}"'


class History:
    """What the two paths answer programs with, and the differences that pages are made of.

    Below `/r/<release>/` they are the same, but that a difference without `to` ends there.
    """

    def __init__(self, store: EmbeddedStore, settings: Settings, running: Running) -> None:
        self._store = store
        self._settings = settings
        self._running = running
        self._comparing = threading.BoundedSemaphore(_AT_ONCE)

    def listing(self, format: Format) -> Response:
        """Every release, as JSON or text."""
        head = self._store.release()
        listed = _listed(self._store, head, base_url(request))
        content = (
            json.dumps({"releases": listed}, ensure_ascii=False, indent=1) + "\n"
            if format == RECORD
            else "".join(f"{_line(each)}\n" for each in listed)
        )
        response = Response(content, content_type=format.content_type)
        response.headers["KG-Release"] = head.name
        response.headers["Vary"] = "Accept"
        response.headers["Cache-Control"] = "no-cache"
        response.add_etag()
        response.make_conditional(request.environ)
        return response

    def difference(self, pair: Pair, format: Format) -> Response:
        """How the two differ, in one of DIFFERENCE_FORMATS."""
        accepted = request.headers.get("Accept-Encoding")
        asked = _Asked(pair, format, coding(accepted), needs_packing(accepted))
        came, tag = Came.of(request), asked.etag()
        if came.if_match and not holds(came.if_match, tag):
            raise PreconditionFailed
        if came.if_none_match and (came.if_none_match == "*" or has(came.if_none_match, tag)):
            return Reply(304, _described(asked), b"").response()
        Exchange.of(request).admit()
        with self._listed(), kept(pair.before, pair.after):
            packing, content = self._answered(asked)
        fields = [("content-type", asked.format.content_type)]
        if packing is not Coding.IDENTITY:
            fields.append(("content-encoding", packing.value))
        if asked.format is RDF_PATCH:
            name = f"{pair.before.name}_{pair.after.name}.{RDF_PATCH.suffix}"
            fields.append(("content-disposition", f"attachment; filename={name}"))
        fields.append(("content-length", str(size(content))))
        return Reply(200, [*fields, *_described(asked)], content).response()

    def compared(self, pair: Pair) -> Difference:
        """How the two differ, claim by claim, for a page; raises as an answer for programs."""
        with self._listed(), kept(pair.before, pair.after):
            return self._changes(pair)

    @contextmanager
    def _listed(self) -> Iterator[None]:
        """While the block runs it can be cancelled as a query can."""
        exchange, came = Exchange.of(request), Came.of(request)
        exchange.id = came.query_id or exchange.id
        with self._running.listed(exchange.id, came.query_key, exchange.ticket):
            exchange.evaluates()
            yield

    def _answered(self, asked: _Asked) -> tuple[Coding, Content]:
        if asked.format in (CLAIMS, RECORD):
            text = self._claims(asked).encode()
            if len(text) > self._settings.answer_bytes:
                raise AnswerTooLarge(self._settings.answer_bytes)
            return _packed(text, asked)
        with _noted(self._spooled(asked.pair, Written(asked.format.name), asked.packing)) as spool:
            if spool.coding is Coding.IDENTITY and asked.always_packed:
                return _packed(spool.read(), asked)
            return spool.coding, content_of(spool)

    def _claims(self, asked: _Asked) -> str:
        """What people read, or the same as JSON."""
        try:
            found = self._changes(asked.pair)
        except AnswerTooLarge as error:
            error.remedy = _NEARER
            raise
        if asked.format is RECORD:
            return written_json(found)
        return "".join(f"{line}\n" for line in told(found))

    def _changes(self, pair: Pair) -> Difference:
        store, settings = self._store, self._settings
        if not self._comparing.acquire(blocking=False):
            raise QueueFull(0)
        try:
            ticket = Exchange.of(request).ticket
            asking = Asking(store, settings, seconds=settings.deadline, ticket=ticket)
            with _noted(self._spooled(pair, Written.SUBJECTS)) as spool:
                graphs = [touched_graph(line) for line in spool.read().splitlines()]
            return changes(pair.before, pair.after, graphs, asking, most=_MOST_CLAIMS)
        except (AnswerTooLarge, DeadlineExceeded) as error:
            error.remedy = _NEARER
            raise
        finally:
            self._comparing.release()

    def _spooled(self, pair: Pair, form: Written, packing: Coding = Coding.IDENTITY) -> Spool:
        settings = self._settings
        most = settings.answer_bytes
        task = Differing(
            release=pair.after.folder,
            before=pair.before.folder,
            graphs=differing_graphs(pair.before, pair.after),
            form=form.value,
            digests=(pair.before.digest, pair.after.digest),
            deadline=settings.deadline,
            answer_bytes=min(most, _MOST_TOUCHED) if form is Written.SUBJECTS else most,
            spool_memory=settings.spool_memory,
            coding=packing,
        )
        try:
            return self._store.query(task, Exchange.of(request).ticket)
        except EvaluationError as error:
            if isinstance(error, AnswerTooLarge | DeadlineExceeded):
                error.remedy = _NEARER
            raise


def pair_of(request: Request, store: EmbeddedStore, at: str | None) -> Pair | None:
    """The two releases that the request names; the second is that of the address, else HEAD.

    None where it names no first one. Raises BadArgument, UnknownResource and ReleaseRemoved.
    """
    parameters = MultiDict(pairs_of(request.query_string))
    earlier, later = at_most_one(parameters, "from"), at_most_one(parameters, "to")
    if not earlier:
        return None
    before, after = known_release(store, earlier), known_release(store, later or at)
    return Pair(before, after, immutable=(earlier, later or at) == (before.name, after.name))


def first_missing() -> BadArgument:
    """What a program is told that compares with nothing."""
    return BadArgument(
        "the parameter from is missing",
        remedy="Send from=RELEASE and, unless HEAD is meant, to=RELEASE: names, numbers, tags.",
    )


def _noted(spool: Spool) -> Spool:
    """The spool, after its times were told."""
    exchange = Exchange.of(request)
    exchange.queue_ms, exchange.work_ms = spool.queue_ms, spool.work_ms
    return spool


def _packed(content: bytes, asked: _Asked) -> tuple[Coding, Content]:
    packing = asked.packing
    if packing is Coding.IDENTITY or not (asked.always_packed or len(content) >= _LEAST_PACKED):
        return Coding.IDENTITY, kept_bytes(content)
    return packing, kept_bytes(packed_bytes(content, packing))


def _described(asked: _Asked) -> Fields:
    return [
        ("kg-release", asked.pair.after.name),
        ("vary", "Accept, Accept-Encoding"),
        ("etag", asked.etag()),
        ("cache-control", _UNCHANGING if asked.pair.immutable else "no-cache"),
    ]


def _listed(store: EmbeddedStore, head: Release, base: str) -> list[dict[str, Any]]:
    """Every release as a JSON object, the oldest first."""
    tags: dict[str, list[str]] = {}
    for tag in all_tags(store.folder):
        tags.setdefault(tag.release, []).append(tag.name)
    releases = store.releases()
    there = {release.name for release in releases}
    return [
        {
            "number": release.number,
            "name": release.name,
            "head": release.name == head.name,
            "time": release.time,
            "parent": release.parent,
            "digest": release.digest,
            "who": release.who,
            "message": release.message,
            "quads": release.quads,
            "graphs": len(release.graphs),
            "changes": asdict(release.changes),
            "tags": tags.get(release.name, []),
            "links": _links(release, there, base),
        }
        for release in releases
    ]


def _links(release: Release, there: set[str], base: str) -> dict[str, str]:
    links = {
        "sparql": f"{base}r/{release.name}/sparql",
        "dump": f"{base}dump/{release.name}.nq.gz",
    }
    if release.parent in there:
        between = urlencode({"from": release.parent, "to": release.name})
        links["diff"] = f"{base}diff?{between}"
    return links


def _line(release: dict[str, Any]) -> str:
    changed = release["changes"]
    counts = f"+{changed['quads_added']} -{changed['quads_removed']}"
    parts = ("*" if release["head"] else " ", release["name"], release["time"])
    said = (release["who"], release["message"], " ".join(release["tags"]))
    told = "  ".join(plain(part) for part in said if part)
    return f"{' '.join(parts)}  {release['quads']} quads ({counts})  {told}".rstrip()
