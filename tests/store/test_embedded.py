"""The store in a folder: which release is read, and its dumps."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from kg.errors import NoRelease, NotAcceptable, StoreDamaged, StoreError
from kg.media import N_QUADS, TRIG, TURTLE
from kg.settings import Settings
from kg.store.base import Release
from kg.store.durable import write_durably
from kg.store.embedded import EmbeddedStore
from store_parts import committed, graph, task

SETTINGS = Settings(workers=1)


@pytest.fixture
def release(folder: Path) -> Release:
    return committed(
        folder,
        graph("b", ":s :p :o", ":a :p :o"),
        graph("a", ":s :p :o"),
        graph("secret", ":hidden :p :o", restricted=True),
    )


@pytest.fixture
def store(folder: Path, release: Release) -> Iterator[EmbeddedStore]:
    with EmbeddedStore(folder, SETTINGS) as store:
        yield store


def test_a_folder_without_a_store_cannot_be_opened(folder: Path) -> None:
    with pytest.raises(NoRelease):
        EmbeddedStore(folder, SETTINGS)


def test_head_is_served_unless_another_release_is_asked_for(
    folder: Path, store: EmbeddedStore, release: Release
) -> None:
    second = committed(folder, graph("a", ":s :p :new"))
    assert (store.release(), store.release("1")) == (second, release)
    assert store.releases() == [release, second]


def test_a_store_that_is_warmed_sweeps_what_a_crashed_write_left(
    folder: Path, store: EmbeddedStore, release: Release
) -> None:
    leftover = folder / "releases" / ".staging-crashed"
    leftover.mkdir()
    store.warm()
    assert (leftover.exists(), release.folder.exists()) == (False, True)


def test_a_store_that_was_closed_answers_no_more(store: EmbeddedStore, release: Release) -> None:
    assert store.query(task(release, "ASK { ?s ?p ?o }")).read() == b"true"
    store.close()
    with pytest.raises(StoreError, match="the store was closed"):
        store.query(task(release, "ASK { ?s ?p ?o }"))


@pytest.mark.parametrize("content", ["9-aaaaaaaaaaaa\n", "nonsense", None])
def test_where_head_is_lost_the_last_release_is_served_and_the_log_says_so_once(
    folder: Path,
    store: EmbeddedStore,
    release: Release,
    caplog: pytest.LogCaptureFixture,
    content: str | None,
) -> None:
    head = folder / "HEAD"
    good = head.read_text()
    assert store.release() == release
    head.unlink() if content is None else head.write_text(content)
    assert [store.release(), store.release()] == [release, release]
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    head.write_text(good)
    second = committed(folder, graph("a", ":s :p :new"))
    assert store.release() == second


def test_the_worker_s_network_is_logged_once(
    store: EmbeddedStore, release: Release, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "kg")
    for _ in range(3):
        store.query(task(release, "ASK {}")).close()
    (message,) = caplog.messages
    assert message in (
        "event=worker network=false means=namespace",
        "event=worker network=false means=landlock",
        "event=worker network=true means=none",
    )


def test_a_dump_is_on_disk_when_it_is_told(
    store: EmbeddedStore, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = list[Path]()

    def noted(file: Path, content: Iterable[bytes]) -> None:
        written.append(file)
        write_durably(file, content)

    monkeypatch.setattr("kg.store.dumps.write_durably", noted)
    file = store.dump(release, N_QUADS)
    assert written == [file, file.with_name(f"{file.name}.sha256")]


def test_a_release_that_lost_its_context_is_damaged(store: EmbeddedStore, release: Release) -> None:
    (release.folder / "context.jsonld").unlink()
    with pytest.raises(StoreDamaged) as caught:
        store.dump(release, N_QUADS)
    assert caught.value.place
    assert caught.value.place.file == release.folder / "context.jsonld"


def test_n_quads_are_dumped_by_graph_and_sorted(store: EmbeddedStore, release: Release) -> None:
    file = store.dump(release, N_QUADS)
    assert file.name == f"{release.name}.nq.gz"
    assert gzip.decompress(file.read_bytes()) == (
        b"<http://ex/s> <http://ex/p> <http://ex/o> <http://ex/a> .\n"
        b"<http://ex/a> <http://ex/p> <http://ex/o> <http://ex/b> .\n"
        b"<http://ex/s> <http://ex/p> <http://ex/o> <http://ex/b> .\n"
    )


def test_trig_is_dumped_with_prefixes(store: EmbeddedStore, release: Release) -> None:
    content = gzip.decompress(store.dump(release, TRIG).read_bytes())
    graphs = content[content.index(b"ex:a {") :].decode()
    a, b = "ex:a {\n\tex:s ex:p ex:o .\n}\n", "ex:b {\n\tex:a ex:p ex:o .\n\tex:s ex:p ex:o .\n}\n"
    assert graphs == a + b


@pytest.mark.parametrize("form", [N_QUADS, TRIG], ids=lambda form: form.name)
def test_the_same_release_is_dumped_as_the_same_bytes(
    store: EmbeddedStore, release: Release, form: object
) -> None:
    assert isinstance(form, type(N_QUADS))
    file = store.dump(release, form)
    first = file.read_bytes()
    file.unlink()
    assert store.dump(release, form).read_bytes() == first


def test_a_dump_is_made_once(store: EmbeddedStore, release: Release) -> None:
    file = store.dump(release, N_QUADS)
    made = file.stat().st_mtime_ns
    assert store.dump(release, N_QUADS).stat().st_mtime_ns == made


def test_a_graph_format_has_no_dump(store: EmbeddedStore, release: Release) -> None:
    with pytest.raises(NotAcceptable):
        store.dump(release, TURTLE)


def test_a_dump_that_cannot_be_written_says_so(store: EmbeddedStore, release: Release) -> None:
    (release.folder.parents[1] / "dumps").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        store.dump(release, N_QUADS)
