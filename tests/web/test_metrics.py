"""/metrics: what is counted, as Prometheus reads it."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copytree

import pytest
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.parser import text_string_to_metric_families

from kg.namespaces import BASE
from kg.store.base import Release
from kg.store.usage import usage
from kg.web.metrics import Histogram
from kg_server import Server, running
from processes import descriptors, eventually, front, kill, resident, workers
from web.test_health import SLOW
from web.writable import CLAIM, Writable, writable_server

DOUBLED = " ".join(f"BIND(CONCAT(?v{n}, ?v{n}) AS ?v{n + 1})" for n in range(30))


class Measured(dict[tuple[str, tuple[str, ...]], float]):
    """The value of each sample by its name and the values of its labels, sorted by label."""

    def of(self, name: str, *labels: str) -> float:
        return self.get((name, labels), 0.0)


def measured(server: Server) -> Measured:
    reply = server.send("/metrics")
    assert reply.status == 200, reply.body
    found = Measured()
    for family in text_string_to_metric_families(reply.body.decode()):
        assert family.documentation, family.name
        for sample in family.samples:
            values = tuple(sample.labels[name] for name in sorted(sample.labels))
            found[sample.name, values] = sample.value
    return found


@pytest.fixture(scope="module")
def counted(_built_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writable]:
    """A server that nobody else asks."""
    folder = copytree(_built_once, tmp_path_factory.mktemp("counted") / "store")
    with writable_server(
        folder,
        folder.parent / "log",
        workers=1,
        deadline=20.0,
        worker_memory=400 * 1024 * 1024,
        spool_memory=16 * 1024,
    ) as server:
        yield server


def test_queries_are_counted_by_what_they_came_to(counted: Writable) -> None:
    server, before = counted.server, measured(counted.server)
    assert server.query("ASK { ?counted ?p ?o }").status == 200
    assert server.query("ASK { ?counted").status == 400
    assert server.query(SLOW, timeout=1).status == 503
    assert server.query("SELECT * { SERVICE <http://a/> { ?s ?p ?o } }").status == 403
    after = measured(server)

    def more(name: str, *labels: str) -> float:
        return after.of(name, *labels) - before.of(name, *labels)

    assert more("kg_queries_total", "ok") == 1
    assert more("kg_queries_total", "query-syntax") == 1
    assert more("kg_queries_total", "deadline-exceeded") == 1
    assert more("kg_queries_total", "remote-refused") == 1
    assert more("kg_query_seconds_count", "total") == more("kg_query_seconds_count", "work")
    assert more("kg_query_seconds_sum", "total") >= 1.0
    assert more("kg_worker_deaths_total", "deadline") == 1


def test_a_kept_answer_is_a_hit_and_a_new_one_a_miss(counted: Writable) -> None:
    server, before = counted.server, measured(counted.server)
    for _ in range(3):
        assert server.query("ASK { ?kept ?p ?o }").status == 200
    after = measured(server)
    assert after.of("kg_cache_hits_total") - before.of("kg_cache_hits_total") == 2
    assert after.of("kg_cache_misses_total") - before.of("kg_cache_misses_total") == 1
    assert after.of("kg_cache_entries") == before.of("kg_cache_entries") + 1
    assert after.of("kg_cache_bytes") > before.of("kg_cache_bytes")


def test_requests_have_few_labels_whatever_clients_send(counted: Writable) -> None:
    server, before = counted.server, measured(counted.server)
    for number in range(30):
        server.send(f"/nowhere{number}/{number}")
        server.send(f"/id/{number}")
        server.send("/sparql", method=f"METHOD{number}")
    after = measured(server)
    new = {
        key: after[key] - before.of(key[0], *key[1])
        for key in after
        if key[0] == "kg_requests_total"
    }
    told = {labels: count for (_, labels), count in new.items() if count}
    assert told == {
        ("GET", "other", "404"): 30,
        ("GET", "/id", "404"): 30,
        ("other", "/sparql", "405"): 30,
        ("GET", "/metrics", "200"): 1,
    }


def test_deaths_are_counted_by_cause(counted: Writable) -> None:
    server, before = counted.server, measured(counted.server)
    assert (
        server.query(f"SELECT (STRLEN(?v30) AS ?n) {{ BIND('12345678' AS ?v0) {DOUBLED} }}").status
        == 503
    )
    assert eventually(lambda: measured(server).of("kg_workers", "ready") == 2)
    kill(workers(server)[0])

    def deaths(cause: str) -> float:
        return measured(server).of("kg_worker_deaths_total", cause) - before.of(
            "kg_worker_deaths_total", cause
        )

    assert eventually(lambda: deaths("idle") == 1)
    assert (deaths("memory"), deaths("crash"), deaths("deadline")) == (1, 0, 0)


def test_a_query_that_is_cancelled_is_counted_so(counted: Writable) -> None:
    before = measured(counted.server)
    headers = {"KG-Query-Id": "to-be-ended", "KG-Query-Key": "key"}
    client = threading.Thread(
        target=counted.server.send,
        args=("/sparql?query=" + SLOW.replace(" ", "%20").replace("?", "%3F"),),
        kwargs={"headers": headers},
    )
    client.start()
    # While it waits for a worker, cancelling it ends none.
    assert eventually(lambda: measured(counted.server).of("kg_workers", "busy") == 1)
    cancelled = counted.server.send("/queries/to-be-ended", method="DELETE", headers=headers)
    client.join()
    after = measured(counted.server)
    assert cancelled.status == 204
    for name, label in (
        ("kg_queries_total", "cancelled"),
        ("kg_worker_deaths_total", "cancelled"),
    ):
        assert after.of(name, label) - before.of(name, label) == 1, name


def test_writes_are_counted_and_head_is_told(counted: Writable) -> None:
    before = measured(counted.server)
    assert counted.put("/graphs/counted", "<http://ex/a> <http://ex/b> 1 .").status == 201
    assert counted.put("/graphs/counted", CLAIM).status == 422
    assert counted.put("/graphs/counted", "<broken").status == 400
    after = measured(counted.server)
    outcomes = ("ok", "rejected", "malformed-data")
    new = [after.of("kg_writes_total", it) - before.of("kg_writes_total", it) for it in outcomes]
    assert new == [1, 1, 1]
    head = counted.release()
    assert after.of("kg_head_number") == int(head.split("-")[0]) == before.of("kg_head_number") + 1
    assert after.of("kg_head_quads") == before.of("kg_head_quads") + 1
    assert after.of("kg_head_graphs") == before.of("kg_head_graphs") + 1
    assert after.of("kg_head_timestamp_seconds") > before.of("kg_head_timestamp_seconds")
    assert after.of("kg_releases_served_total") - before.of("kg_releases_served_total") == 1
    log = (counted.folder.parent / "log").read_text()
    assert log.count(f"event=release_served release={head} ") == 1


def test_the_process_the_disk_and_the_versions_are_told(counted: Writable) -> None:
    found, pid = measured(counted.server), front(counted.server)
    assert abs(found.of("process_open_fds") - descriptors(pid)) <= 5
    assert 0.8 < found.of("process_resident_memory_bytes") / resident(pid) < 1.25
    assert found.of("kg_releases") >= 1
    assert 0.5 < found.of("kg_store_bytes") / usage(counted.folder).bytes < 2
    assert found.of("kg_store_free_bytes") > 0
    ((_, labels),) = [key for key in found if key[0] == "kg_build_info"]
    assert len(labels) == 3


def test_bytes_are_counted_by_where_they_were(server: Server) -> None:
    before = measured(server)
    small = server.query("ASK { ?bytes ?p ?o }")
    large = server.query(
        f"SELECT * {{ ?s <{BASE}q> ?o . ?x <{BASE}q> ?y FILTER(?s = ?x || ?s < ?x) }} LIMIT 4000"
    )
    assert len(large.body) > 64 * 1024
    after = measured(server)
    memory, file = (
        after.of("kg_answer_bytes_total", kind) - before.of("kg_answer_bytes_total", kind)
        for kind in ("memory", "file")
    )
    assert file == len(large.body)
    assert memory >= len(small.body)


def test_a_client_that_asks_too_often_is_counted(
    folder: Path, release: Release, tmp_path: Path
) -> None:
    with running(folder, tmp_path / "log", workers=1, client_rate=1) as server:
        told = [server.query(f"ASK {{}} # {number}").status for number in range(3)]
        found = measured(server)
    assert told == [200, 429, 429]
    assert found.of("kg_clients_limited_total") == 2


def test_open_metrics_is_another_format(server: Server) -> None:
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    reply = server.send("/metrics", headers=accept)
    assert reply.headers["content-type"].startswith("application/openmetrics-text")
    assert reply.body.endswith(b"# EOF\n")


@pytest.mark.parametrize("version", ["x", "2.x", "99", ""])
@pytest.mark.parametrize(
    ("media_type", "got"),
    [
        ("text/plain", "text/plain; version=0.0.4"),
        ("application/openmetrics-text", "application/openmetrics-text; version=1.0.0"),
    ],
)
def test_no_version_that_is_asked_for_is_an_error(
    server: Server, media_type: str, got: str, version: str
) -> None:
    reply = server.send("/metrics", headers={"Accept": f"{media_type};version={version}"})
    assert (reply.status, reply.headers["content-type"]) == (200, f"{got}; charset=utf-8")


def test_a_store_that_is_gone_leaves_the_rest_measured(
    folder: Path, release: Release, tmp_path: Path
) -> None:
    store = copytree(folder, tmp_path / "store")
    with running(store, tmp_path / "log", workers=1) as server:
        store.rename(tmp_path / "gone")
        found = measured(server)
        (tmp_path / "gone").rename(store)
    assert ("kg_store_free_bytes", ()) not in found
    assert found.of("kg_workers", "ready") >= 1


def test_who_waits_for_the_same_answer_has_it_from_what_is_kept(counted: Writable) -> None:
    server, before = counted.server, measured(counted.server)
    query = "SELECT (COUNT(*) AS ?shared) { ?a ?b ?c . ?d ?e ?c . ?f ?g ?d }"
    with ThreadPoolExecutor(4) as clients:
        told = [reply.status for reply in clients.map(server.query, [query] * 4)]
    after = measured(server)
    assert told == [200] * 4
    assert after.of("kg_cache_misses_total") - before.of("kg_cache_misses_total") == 1
    assert after.of("kg_cache_hits_total") - before.of("kg_cache_hits_total") == 3


def test_closed_metrics_need_the_token_of_an_operator(_built_once: Path, tmp_path: Path) -> None:
    folder = copytree(_built_once, tmp_path / "store")
    with writable_server(folder, tmp_path / "log", workers=1, open_metrics=False) as server:
        told = {
            token: server.send("GET", "/metrics", token=token).status
            for token in (None, "unknown", "old", "ann", "operator")
        }
        health = server.server.send("/health/ready").status
    assert told == {None: 401, "unknown": 401, "old": 401, "ann": 403, "operator": 200}
    assert health == 200


def test_a_bucket_holds_those_below_it() -> None:
    family = HistogramMetricFamily("x", "x", labels=["phase"])
    histogram = Histogram((0.1, 1.0))
    for value in (0.05, 0.1, 0.5, 7.0):
        histogram.add(value)
    histogram.into(family, "work")
    samples = [(sample.labels.get("le"), sample.value) for sample in family.samples]
    assert samples == [("0.1", 2), ("1", 3), ("+Inf", 4), (None, 4), (None, 7.65)]


def test_a_file_with_two_names_counts_once(tmp_path: Path) -> None:
    (tmp_path / "releases" / "1-a").mkdir(parents=True)
    (tmp_path / "releases" / "2-b").mkdir()
    (tmp_path / "releases" / ".staging-x").mkdir()
    one = tmp_path / "releases" / "1-a" / "table"
    one.write_bytes(os.urandom(100_000))
    os.sync()
    single = usage(tmp_path)
    (tmp_path / "releases" / "2-b" / "table").hardlink_to(one)
    assert usage(tmp_path) == single
    assert (single.releases, single.bytes >= 100_000) == (2, True)


def test_every_metric_is_in_the_table_of_the_documentation(counted: Writable) -> None:
    table = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    told = set(re.findall(r"`(kg_[a-z_]+)`", table))
    found = {name for name, _ in measured(counted.server) if name.startswith("kg_")}
    samples = re.compile(r"_(bucket|sum|count|created)$")
    assert {samples.sub("", name) for name in found} == told
