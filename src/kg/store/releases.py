"""The releases of a store folder: listing, naming, locking and publishing them, with no engine.

A store folder holds `kg-store.json`, `HEAD`, `writer.lock`, `dumps/` and `releases/`; `tags/`,
`moves.jsonl` and `removed.jsonl` tell of what was done to the releases. A release is a folder
`<number>-<digest12>` that never changes: `public/` and `restricted/` for the engine,
`search.sqlite` and `statistics.json` of the public part, `context.jsonld`, `shapes.nt` and `rules/`
that it was checked with, and `manifest.json`, which tells of the public graphs only; what the
restricted graphs are stands in `restricted/manifest.json`.

The digest of a graph is the SHA-256 of its canonical N-Triples lines, sorted by bytes, each ended
by a line feed; blank nodes are labelled by RDFC-1.0. That of a release is the SHA-256 of the lines
`<digest> <iri>`, one a public graph, sorted by IRI.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any, Final

from kg.errors import (
    BadArgument,
    NoRelease,
    NotAStore,
    OtherKindOfStore,
    OtherStoreFormat,
    Place,
    ReleaseMissing,
    StoreBusy,
    StoreDamaged,
    StoreError,
)
from kg.store.base import Changes, GraphState, Owner, Release
from kg.store.durable import move_synced, sync, sync_tree, write_durably, write_synced
from kg.store.moves import Move, move_head, moves, settle
from kg.store.removals import Removal, missing, newest_removed, removals
from kg.store.tags import HEAD, Tag, all_tags, remove_tag, tag_named, write_tag

FORMAT: Final = 2
_NAME: Final = re.compile(r"(\d+)-[0-9a-f]{12}")
_CUT: Final = re.compile(r"\.kg-store\.json\..*new")
STAGING: Final = ".staging-"
_POLL: Final = 0.01
_WAIT: Final = 5.0
"""Seconds that a tag or a rollback waits for a write to end."""
_CITATIONS: Final = 131_072
_REMEMBERED: Final = 100_000
"""Graphs that the releases may have, together, whose manifests are remembered."""
_LONGEST_WRITE: Final = 3600.0
"""Seconds after which a file that is not whole belongs to nobody: dumps take no lock."""


def version_of_kg() -> str:
    """The version of this program; empty where it runs from files that were not installed."""
    try:
        return version("kg")
    except PackageNotFoundError:
        return ""


def release_digest(graphs: Iterable[GraphState]) -> str:
    """SHA-256 in hex of what these graphs hold, whatever their order, owners and history."""
    lines = sorted((graph.iri, f"{graph.digest} {graph.iri}\n") for graph in graphs)
    return hashlib.sha256("".join(line for _, line in lines).encode()).hexdigest()


class Releases:
    """The releases under one store folder; make one with `create` or `open`.

    A `plain` store is for conformance tests: its default graph is a graph of its own, and no graph
    has an owner. It is no other's, and no other is it.
    """

    def __init__(self, folder: Path, *, plain: bool = False) -> None:
        self.folder = folder
        self.plain = plain
        self._read: dict[str, Release] = {}
        self._reading = threading.Lock()
        self._head_file = os.fspath(folder / "HEAD")
        self._head: tuple[tuple[int, ...], Release] | None = None

    @classmethod
    def create(cls, folder: Path, *, plain: bool = False) -> Releases:
        """The store in `folder`, made new where the folder is missing or empty.

        Raises NotAStore for a folder with other files, OtherKindOfStore, OtherStoreFormat,
        StoreDamaged, and StoreError where the folder cannot be made.
        """
        marker: dict[str, object] = {"format": FORMAT, "kg": version_of_kg()}
        if plain:
            marker["plain"] = True
        try:
            if _is_unfinished(folder):
                (folder / "releases").mkdir(parents=True, exist_ok=True)
                write_durably(folder / "kg-store.json", [_json(marker)])
                sync(folder.resolve().parent)
        except OSError as error:
            raise StoreError(
                f"the store {folder} cannot be made: {error.strerror}",
                remedy="Name a folder that can be written with --store.",
            ) from error
        return cls.open(folder, plain=plain)

    @classmethod
    def open(cls, folder: Path, *, plain: bool = False) -> Releases:
        """The store in `folder`.

        Raises NoRelease, NotAStore, OtherKindOfStore, OtherStoreFormat or StoreDamaged.
        """
        if not _entries(folder):
            raise NoRelease(folder)
        marker = folder / "kg-store.json"
        if not marker.is_file():
            raise NotAStore(folder)
        read = _read_json(marker)
        if read.get("format") != FORMAT:
            raise OtherStoreFormat(folder, read.get("format"), FORMAT, by=str(read.get("kg", "")))
        if read.get("plain", False) is not plain:
            raise OtherKindOfStore(folder, plain=not plain)
        return cls(folder, plain=plain)

    def head(self) -> Release:
        """The release that HEAD names at this moment. The file is read where it is another one.

        Raises NoRelease, ReleaseMissing, or StoreDamaged.
        """
        try:
            state = os.stat(self._head_file)
        except OSError:
            return self._read_head()
        seen = (state.st_ino, state.st_mtime_ns, state.st_ctime_ns, state.st_size)
        known = self._head
        if known is None or known[0] != seen:
            # In this order: were HEAD to move in between, the next call would see it.
            self._head = known = (seen, self._read_head())
        return known[1]

    def _read_head(self) -> Release:
        file = self.folder / "HEAD"
        try:
            name = file.read_text("utf-8").strip()
        except FileNotFoundError:
            raise NoRelease(self.folder) from None
        except (OSError, UnicodeDecodeError) as error:
            raise _damaged(file, f"HEAD cannot be read: {error}") from error
        if not _NAME.fullmatch(name):
            raise _damaged(file, f"HEAD holds {name[:40]!r}, which is no release's name")
        return self._release(name, by="HEAD")

    def all(self, newest: int | None = None) -> list[Release]:
        """Every release, or so many, oldest first; raises StoreDamaged for one that is damaged.

        One that is removed meanwhile is left out.
        """
        found = []
        for name in self.names()[-newest if newest else None :]:
            with suppress(ReleaseMissing):
                found.append(self._release(name, by=str(self.folder)))
        return found

    def named(self, text: str) -> Release:
        """The release of this full name or number, or with this tag; HEAD is that which it names.

        Raises ReleaseMissing, ReleaseRemoved for one that retention took, or StoreDamaged.
        """
        if _NAME.fullmatch(text):
            return self._release(text, by="the request")
        if text == HEAD:
            return self.head()
        tag = tag_named(self.folder, text)
        if tag:
            return self._release(tag.release, by=f"the tag {tag.name}")
        chosen = [name for name in self.names() if text == name.partition("-")[0]]
        return self._release(chosen[-1] if chosen else text, by="the request")

    def restricted(self, release: Release) -> tuple[GraphState, ...]:
        """The restricted graphs of a release, which its manifest does not tell of."""
        file = release.folder / "restricted" / "manifest.json"
        with _reading(file):
            return _graphs(_read_json(file))

    def next_number(self) -> int:
        """One more than the number of the newest release that there ever was."""
        newest = max((_number(name) for name in self.names()), default=0)
        return max(newest, newest_removed(self.folder)) + 1

    def names(self) -> list[str]:
        """Names of the release folders, by number."""
        try:
            found = [path.name for path in (self.folder / "releases").iterdir()]
        except FileNotFoundError:
            return []
        return sorted((name for name in found if _NAME.fullmatch(name)), key=_number)

    # --- tags, moves and citations --------------------------------------------------------

    def tags(self) -> list[Tag]:
        """Every tag by name; raises StoreDamaged."""
        return all_tags(self.folder)

    def tag(
        self,
        name: str,
        release: Release,
        *,
        who: str,
        message: str,
        now: datetime,
        move: bool = False,
    ) -> Tag:
        """Name a release so; with `move` another one may have had the name.

        Raises BadArgument for a name that cannot be or that another has, ReleaseMissing, StoreBusy
        and StoreError.
        """
        with self._changing("the tag"):
            tag = Tag(name, self.named(release.name).name, timestamp(now), who, message)
            write_tag(self.folder, tag, move=move)
        return tag

    def untag(self, name: str) -> Tag:
        """Take a tag away; raises BadArgument where there is none, StoreBusy and StoreError."""
        with self._changing("the tag"):
            return remove_tag(self.folder, name)

    def rollback(self, release: Release, *, who: str, message: str, now: datetime) -> Release:
        """Make HEAD name this release, and write down who did; returns it.

        Releases stay, and the next one made rests on this one. Raises ReleaseMissing, NoRelease,
        BadArgument where HEAD names it already, StoreBusy and StoreError.
        """
        with self._changing("HEAD"):
            before, after = self.head(), self.named(release.name)
            if before == after:
                raise BadArgument(
                    f"HEAD names release {after.name} already",
                    remedy="Name another one; `kg releases` lists them.",
                )
            move = Move(before.name, after.name, timestamp(now), who, message)
            move_head(self.folder, move)
        return after

    def moves(self) -> list[Move]:
        """Each rollback, oldest first."""
        return moves(self.folder)

    def removed(self) -> list[Removal]:
        """What retention took, in the order in which it did."""
        return removals(self.folder)

    def cited(self) -> frozenset[str]:
        """Full names of the releases that citations name; raises StoreDamaged.

        Where one is gone, it is those with its digest, on which the citation is run again.
        """
        named, there = frozenset(self.citations()), self.names()
        gone = {_short_digest(name) for name in named.difference(there)}
        return named.union(name for name in there if _short_digest(name) in gone)

    def citations(self) -> Counter[str]:
        """How many citations name a release, by its full name; raises StoreDamaged."""
        files = (os.fspath(file) for file in (self.folder / "citations").glob("[!.]*.json"))
        return Counter(map(_cited_in, files))

    @contextmanager
    def _changing(self, what: str) -> Iterator[None]:
        """The lock, for a small change; what crashed writes left is swept before."""
        try:
            with self.lock(_WAIT):
                self.sweep()
                yield
        except OSError as error:
            raise StoreError(
                f"{what} cannot be written in {self.folder}: {error.strerror or error}",
                remedy="Check the space and the permissions of the store folder.",
            ) from error

    # --- writing ------------------------------------------------------------------------------

    @contextmanager
    def lock(self, wait: float = 0.0) -> Iterator[None]:
        """The right to write, until the block ends.

        Raises StoreBusy where another still has it after `wait` seconds.
        """
        until = time.monotonic() + wait
        with (self.folder / "writer.lock").open("ab") as file:
            while not _locked(file):
                if time.monotonic() >= until:
                    raise StoreBusy(self.folder)
                time.sleep(_POLL)
            try:
                yield
            finally:
                # Closing is not enough: a process that is being started from here has the file
                # open, too, until its program begins.
                fcntl.flock(file, fcntl.LOCK_UN)

    def sweep(self) -> None:
        """Remove what crashed writes left. Call it under the lock only."""
        self._withdraw()
        settle(self.folder)
        for leftover in (self.folder / "releases").glob(f"{STAGING}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        places = (".*.new", "dumps/.*.new", "citations/.*.new", "tags/.*.new")
        now = _time_of_files(self.folder / "writer.lock")
        for leftover in (each for place in places for each in self.folder.glob(place)):
            with suppress(FileNotFoundError):
                if now - leftover.stat().st_mtime > _LONGEST_WRITE:
                    leftover.unlink()

    def tidy(self) -> None:
        """Sweep, unless somebody is writing: the one who writes has swept already."""
        with suppress(StoreBusy, OSError), self.lock():
            self.sweep()

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """A new folder beside the releases, gone when the block ends unless it was published."""
        folder = Path(tempfile.mkdtemp(prefix=STAGING, dir=self.folder / "releases"))
        try:
            folder.chmod(0o755)  # mkdtemp's 0700 would keep readers of another account out
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(
        self, staging: Path, release: Release, restricted: Iterable[GraphState] = ()
    ) -> Release:
        """Make the staged folder the release that HEAD names; returns it with its folder set.

        Everything is on disk before HEAD moves, so a crash leaves the release before it. What
        HEAD will be is on disk before the release has its name, so that `sweep` can tell one that
        was never published from one that HEAD was moved back from.
        """
        folder = self.folder / "releases" / f"{release.number}-{release.digest[:12]}"
        _write_manifest(staging, release, restricted)
        sync_tree(staging)
        try:
            write_synced(self._next_head, [f"{folder.name}\n".encode()])
            move_synced(staging, folder)
            move_synced(self._next_head, self.folder / "HEAD")
        except OSError:
            self._withdraw()
            raise
        return replace(release, folder=folder)

    @property
    def _next_head(self) -> Path:
        """What becomes HEAD; it lies there after a crash in the middle of `publish`."""
        return self.folder / ".HEAD.new"

    def _withdraw(self) -> None:
        """Remove the release that was about to be published, if there is one."""
        with suppress(FileNotFoundError):
            name = self._next_head.read_text("utf-8", errors="replace").strip()
            if _NAME.fullmatch(name):
                shutil.rmtree(self.folder / "releases" / name, ignore_errors=True)
            self._next_head.unlink()

    def _release(self, name: str, *, by: str) -> Release:
        # Looked for each time: another process may have removed what is remembered here.
        folder = self.folder / "releases" / name
        if not (_NAME.fullmatch(name) and folder.is_dir()):
            raise missing(self.folder, name, by, self.names())
        known = self._read.get(name)
        if known:
            return known
        try:
            release = read_manifest(folder)
        except StoreDamaged:
            if folder.is_dir():
                raise
            raise missing(self.folder, name, by, self.names()) from None
        self._remember(name, release)
        return release

    def _remember(self, name: str, release: Release) -> None:
        """Keep it in memory, and forget those that were read longest ago."""
        with self._reading:
            self._read[name] = release
            graphs = sum(len(each.graphs) for each in self._read.values())
            while graphs > _REMEMBERED and len(self._read) > 1:
                graphs -= len(self._read.pop(next(iter(self._read))).graphs)


def timestamp(moment: datetime) -> str:
    """The moment as it is written down, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=_CITATIONS)
def _cited_in(file: str) -> str:
    """The release that a citation names; its file never changes."""
    read = _read_json(Path(file))
    try:
        return str(read["release"])
    except KeyError as error:
        raise _damaged(Path(file), "this citation names no release") from error


def _time_of_files(file: Path) -> float:
    """What the clock says now by which files are dated: that of their server, which may differ."""
    os.utime(file)
    return file.stat().st_mtime


def _locked(file: IO[bytes]) -> bool:
    """Whether the lock is now ours; it goes with the process, however that ends."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _number(name: str) -> int:
    return int(name.partition("-")[0])


def _short_digest(name: str) -> str:
    return name.partition("-")[2]


def _is_unfinished(folder: Path) -> bool:
    """Whether it holds nothing, or no more than a creation that was cut leaves."""
    entries = {name for name in _entries(folder) if not _CUT.fullmatch(name)}
    return not entries or (
        entries == {"releases"}
        and all(name.startswith(STAGING) for name in _entries(folder / "releases"))
    )


def _entries(folder: Path) -> set[str]:
    """Names in the folder, none where there is no folder; a file counts as its own entry."""
    if folder.is_dir():
        return set(os.listdir(folder))
    return {folder.name} if folder.exists() else set()


# --- manifests ----------------------------------------------------------------------------


def _write_manifest(folder: Path, release: Release, restricted: Iterable[GraphState]) -> None:
    keys = ("number", "time", "parent", "digest", "shapes_digest", "who", "message", "quads")
    manifest = {key: getattr(release, key) for key in keys} | {"changes": asdict(release.changes)}
    (folder / "manifest.json").write_bytes(_manifest(manifest, release.graphs))
    (folder / "restricted" / "manifest.json").write_bytes(_manifest({}, restricted))


def _manifest(members: Mapping[str, object], graphs: Iterable[GraphState]) -> bytes:
    """The members and the graphs as JSON, one a line; indented by `json` they take ten times as
    long, which is noticed where there are thousands of graphs.
    """
    lines = [f" {json.dumps(key)}: {_dumps(value)},\n" for key, value in members.items()]
    listed = [
        {"iri": it.iri, "quads": it.quads, "digest": it.digest, "owner": it.owner.value}
        | ({} if it.checked else {"checked": False})
        for it in sorted(graphs, key=lambda graph: graph.iri)
    ]
    # No IRI holds a brace (RFC 3987, section 2.2).
    written = _dumps(listed).replace("}, {", "},\n  {").replace("[{", "[\n  {")
    return "".join(("{\n", *lines, f' "graphs": {written}\n}}\n')).encode()


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def read_manifest(folder: Path) -> Release:
    """The release in this folder; raises StoreDamaged."""
    file = folder / "manifest.json"
    with _reading(file):
        manifest = _read_json(file)
        return Release(
            number=int(manifest["number"]),
            digest=str(manifest["digest"]),
            folder=folder,
            time=str(manifest["time"]),
            parent=manifest["parent"],
            who=str(manifest["who"]),
            message=str(manifest["message"]),
            shapes_digest=str(manifest["shapes_digest"]),
            quads=int(manifest["quads"]),
            graphs=_graphs(manifest),
            changes=Changes(**{key: int(count) for key, count in manifest["changes"].items()}),
        )


def _graphs(manifest: dict[str, Any]) -> tuple[GraphState, ...]:
    return tuple(
        GraphState(
            iri=str(graph["iri"]),
            owner=Owner(graph["owner"]),
            quads=int(graph["quads"]),
            digest=str(graph["digest"]),
            checked=bool(graph.get("checked", True)),
        )
        for graph in manifest["graphs"]
    )


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(file, f"the manifest lacks or garbles {error}") from error


def _read_json(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise _damaged(file, f"this cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise _damaged(file, "this is not a JSON object")
    return value


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def _damaged(file: Path, problem: str) -> StoreDamaged:
    return StoreDamaged(
        problem,
        remedy="Restore this file from a copy, or build a new store: kg build --store OTHER.",
        place=Place(file),
    )
