"""What the server counts, in the text format of Prometheus.

Counting is adding to plain numbers in the thread of the loop; what it comes to is worked out when
somebody asks.
"""

from __future__ import annotations

import math
import os
import platform
import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from flask import Flask, request
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from werkzeug.wrappers import Response

from kg.errors import KgError
from kg.settings import Settings
from kg.store.embedded import EmbeddedStore
from kg.store.tokens import Tokens
from kg.store.usage import Usage, usage
from kg.web.cache import Cache
from kg.web.exchange import Doing, Exchange
from kg.web.tokens import operator_of

PATH: Final = "/metrics"
_METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"))
_OTHER: Final = "other"
_BOUNDS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 120.0)
_USAGE_SECONDS: Final = 60.0
_USAGE_SHARE: Final = 100
"""Looking at the disk takes at most one in so many seconds."""


class Histogram:
    """How many values lie at or below each bound, and their sum."""

    def __init__(self, bounds: tuple[float, ...] = _BOUNDS) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    @property
    def count(self) -> int:
        """How many values were counted."""
        return sum(self._counts)

    def within(self, share: float) -> float | None:
        """The bound at or below which this share of the values lies; infinity above the last.

        None where nothing was counted.
        """
        counts = list(self._counts)
        wanted, so_far = share * sum(counts), 0
        for bound, count in zip((*self._bounds, math.inf), counts, strict=True):
            so_far += count
            if count and so_far >= wanted:
                return bound
        return None

    def into(self, family: HistogramMetricFamily, *labels: str) -> None:
        """Write it into a family, as Prometheus has it: each bucket holds those before it."""
        buckets, so_far = [], 0
        for bound, count in zip((*self._bounds, None), list(self._counts), strict=True):
            so_far += count
            buckets.append(("+Inf" if bound is None else f"{bound:g}", float(so_far)))
        family.add_metric(labels, buckets, self._sum)


class Metrics:
    """The counters of one server. The methods that count belong to the thread of the loop."""

    def __init__(self) -> None:
        self.families: frozenset[str] = frozenset()
        self.requests: dict[tuple[str, int, str], int] = {}
        self.queries: Counter[str] = Counter()
        self.writes: Counter[str] = Counter()
        self.seconds = {phase: Histogram() for phase in ("queue", "work", "total")}
        self.memory_bytes = 0
        self.file_bytes = 0
        self.cache_hits = 0
        self.cache_misses = 0

    def answered(self, method: str, path: str, status: int) -> None:
        """Count a request that was answered, by the first segment of a path that there is."""
        name = method if method in _METHODS else _OTHER
        end = path.find("/", 1)
        family = path if end < 0 else path[:end]
        key = (name, status, family if family in self.families else _OTHER)
        self.requests[key] = self.requests.get(key, 0) + 1

    def came_to(self, exchange: Exchange, seconds: float) -> None:
        """Count the query or the write of a request, whose answer took so long in all."""
        if exchange.doing is Doing.WRITE:
            self.writes[exchange.outcome] += 1
        elif exchange.evaluated:
            self.queries[exchange.outcome] += 1
            self.cache_misses += 1
            self.seconds["queue"].add(exchange.queue_ms / 1000)
            self.seconds["work"].add(exchange.work_ms / 1000)
            self.seconds["total"].add(seconds)
        elif exchange.doing is Doing.QUERY and exchange.outcome != "ok":
            self.queries[exchange.outcome] += 1
        elif exchange.left:
            self.cache_hits += 1


def register(
    app: Flask,
    settings: Settings,
    store: EmbeddedStore,
    metrics: Metrics,
    cache: Cache,
    disk: Disk,
) -> None:
    """Make the app, which has all its other paths, answer /metrics."""
    registry = CollectorRegistry()
    registry.register(_Collector(store, metrics, cache, disk))
    ProcessCollector(registry=registry)
    tokens = Tokens(store.folder)

    @app.get(PATH)
    def measured() -> Response:
        if not (settings.open_metrics or settings.plain):
            operator_of(request, tokens)
        encode, content_type = choose_encoder(_formats(request.headers.get("Accept", "")))
        response = Response(encode(registry), content_type=content_type)
        response.headers["Cache-Control"] = "no-store"
        response.headers["Vary"] = "Accept"
        return response

    metrics.families = _families_of(app)


def _formats(accept: str) -> str:
    """The field without parameters: over a version that is none the library fails."""
    return ",".join(part.partition(";")[0] for part in accept.split(","))


def _families_of(app: Flask) -> frozenset[str]:
    """The first segments of all paths that the application has; few, whatever clients send."""
    segments = (rule.rule[1:].partition("/")[0] for rule in app.url_map.iter_rules())
    return frozenset(f"/{segment}" for segment in segments if "<" not in segment)


class Disk:
    """What a long look at the disk of a store found, not repeated at once; for any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._found: Usage | None = None
        self._again = 0.0

    def found(self) -> Usage | None:
        """None while the first look is under way in another thread."""
        if time.monotonic() >= self._again and self._lock.acquire(blocking=False):
            try:
                start = time.monotonic()
                self._found = usage(self._folder)
                taken = time.monotonic() - start
                self._again = time.monotonic() + max(_USAGE_SECONDS, taken * _USAGE_SHARE)
            finally:
                self._lock.release()
        return self._found


class _Collector(Collector):
    """Everything that is counted, as families of Prometheus."""

    def __init__(self, store: EmbeddedStore, metrics: Metrics, cache: Cache, disk: Disk) -> None:
        self._store = store
        self._metrics = metrics
        self._cache = cache
        self._disk = disk

    def describe(self) -> Iterator[Metric]:
        """Nothing: asked at registration, it need not collect to know its names."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """The families, worked out now."""
        yield from self._of_requests()
        yield from self._of_workers()
        yield from self._of_cache()
        yield from self._of_store()
        yield _gauge(
            "kg_build_info",
            "Versions of what serves; the value is 1.",
            {(version("kg"), version("pyoxigraph"), platform.python_version()): 1},
            "version",
            "oxigraph",
            "python",
        )

    def _of_requests(self) -> Iterator[Metric]:
        metrics = self._metrics
        requests = dict(metrics.requests)  # at once: the loop goes on counting
        yield _counter(
            "kg_requests",
            "Requests that were answered, by method, status and first segment of the path.",
            {(method, str(status), path): n for (method, status, path), n in requests.items()},
            "method",
            "status",
            "path",
        )
        yield _counter(
            "kg_queries",
            "Queries that were evaluated (ok), and those that ended in an error, by its kind.",
            {(outcome,): count for outcome, count in dict(metrics.queries).items()},
            "outcome",
        )
        yield _counter(
            "kg_writes",
            "Writes by what they came to: ok, or the kind of the error.",
            {(outcome,): count for outcome, count in dict(metrics.writes).items()},
            "outcome",
        )
        seconds = HistogramMetricFamily(
            "kg_query_seconds",
            "Seconds that evaluated queries waited for a worker, took there, and took in all.",
            labels=["phase"],
        )
        for phase, histogram in metrics.seconds.items():
            histogram.into(seconds, phase)
        yield seconds
        limited = metrics.queries["too-many-requests"]
        yield _counter("kg_clients_limited", "Queries refused by client_rate.", {(): limited})
        yield _counter(
            "kg_answer_bytes",
            "Bytes of answers handed over to be sent, from memory or from a file (spool).",
            {("memory",): metrics.memory_bytes, ("file",): metrics.file_bytes},
            "from",
        )

    def _of_workers(self) -> Iterator[Metric]:
        state = self._store.workers_state()
        yield _gauge(
            "kg_workers",
            "Worker processes by state; a ready one has started and waits for a query.",
            {("busy",): state.busy, ("ready",): state.ready, ("starting",): state.starting},
            "state",
        )
        yield _gauge("kg_queue_length", "Queries that wait for a worker.", {(): state.waiting})
        yield _counter(
            "kg_worker_deaths",
            "Workers that ended before the server did, by cause.",
            {(cause,): count for cause, count in state.deaths.items()},
            "cause",
        )

    def _of_cache(self) -> Iterator[Metric]:
        yield _counter(
            "kg_cache_hits",
            "Answers from what is kept, and 304.",
            {(): self._metrics.cache_hits},
        )
        yield _counter("kg_cache_misses", "Queries evaluated.", {(): self._metrics.cache_misses})
        yield _gauge("kg_cache_bytes", "Bytes of kept answers.", {(): self._cache.bytes})
        yield _gauge("kg_cache_entries", "Answers that are kept.", {(): self._cache.entries})

    def _of_store(self) -> Iterator[Metric]:
        try:
            head = self._store.release()
        except KgError:
            pass  # /health/ready and the log tell
        else:
            made = datetime.fromisoformat(head.time).astimezone(UTC).timestamp()
            yield _gauge("kg_head_number", "The number of the release of HEAD.", {(): head.number})
            yield _gauge("kg_head_timestamp_seconds", "When it was made.", {(): made})
            yield _gauge("kg_head_quads", "Its public quads.", {(): head.quads})
            yield _gauge("kg_head_graphs", "Its public graphs.", {(): len(head.graphs)})
        yield _counter(
            "kg_releases_served",
            "How often HEAD was seen to name another release.",
            {(): self._store.moves},
        )
        if disk := self._disk.found():
            yield _gauge("kg_releases", "Releases in the store.", {(): disk.releases})
            text = "Bytes of the store on disk, a file with several names counted once."
            yield _gauge("kg_store_bytes", text, {(): disk.bytes})
        with suppress(OSError):  # as HEAD, the folder may be gone
            free = os.statvfs(self._store.folder)
            text = "Bytes free where the store lies."
            yield _gauge("kg_store_free_bytes", text, {(): free.f_bavail * free.f_frsize})


def _counter(name: str, text: str, values: Mapping[Any, float], *labels: str) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for values_of_labels, count in values.items():
        family.add_metric(values_of_labels, count)
    return family


def _gauge(name: str, text: str, values: Mapping[Any, float], *labels: str) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for values_of_labels, value in values.items():
        family.add_metric(values_of_labels, value)
    return family
