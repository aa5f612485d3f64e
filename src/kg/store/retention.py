"""Which releases are kept, and how the others go."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final

from kg.errors import KgError, NoRelease
from kg.store.durable import sync
from kg.store.holding import taken
from kg.store.releases import STAGING, Releases, read_manifest, timestamp
from kg.store.removals import Removal, record_removals

_BATCH: Final = 16
"""Releases that are locked at a time: who wants to read one waits meanwhile."""
_IN_USE: Final = "in use"
_CITED: Final = "cited"

Event = tuple[int, str]
"""A line for the log, with its level."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What is kept: so many releases, the newest, and those of so many days; 0 sets no bound.

    Where both are set, what either keeps is kept.
    """

    releases: int = 0
    days: float = 0.0

    def __bool__(self) -> bool:
        """Whether it lets anything go."""
        return self.releases > 0 or self.days > 0

    def __str__(self) -> str:
        counted = [f"the newest {self.releases}"] if self.releases else []
        aged = [f"those of {self.days:g} days"] if self.days else []
        return f"kept are {' and '.join(counted + aged)}"


KEEP_ALL: Final = Policy()


@dataclass(frozen=True, slots=True)
class Retained:
    """What went, oldest first, and why each of the others was kept, by name."""

    removed: tuple[Removal, ...]
    kept: Mapping[str, str]

    def events(self) -> Iterator[Event]:
        """What the log is to say of it."""
        for removal in self.removed:
            yield (
                logging.INFO,
                f"event=release_removed release={removal.name} digest={removal.digest}",
            )
        for name, why in self.kept.items():
            if why in (_IN_USE, _CITED):
                yield logging.DEBUG, f"event=release_kept release={name} why={why!r}"


def retain(
    releases: Releases,
    policy: Policy,
    *,
    now: datetime,
    cited: bool = False,
    dry_run: bool = False,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Retained:
    """Remove the releases that the policy does not keep, with their dumps.

    HEAD, what is tagged, what is in use and, unless `cited`, what a citation names is kept
    whatever the policy says. With `dry_run` nothing is removed. `progress` is told how many of the
    others were looked at, and of how many. Call it under the lock of the
    store only. Raises StoreDamaged and OSError; what went until then is recorded.
    """
    names = releases.names()
    try:
        kept = _kept(releases, policy, names, now)
    except NoRelease:
        return Retained((), {})
    others = [name for name in names if name not in kept]
    removed: list[Removal] = []
    for start in range(0, len(others), _BATCH):
        with ExitStack() as locks:
            going = []
            for name in others[start : start + _BATCH]:
                free = locks.enter_context(taken(releases.folder / "releases" / name))
                if free:
                    going.append(name)
                else:
                    kept[name] = _IN_USE
            # Looked for under the locks: who cites a release holds it until that is written.
            named = frozenset[str]() if cited else releases.cited()
            kept |= {name: _CITED for name in going if name in named}
            gone = [_removal(releases, name, policy, now) for name in going if name not in kept]
            if gone and not dry_run:
                _take_away(releases.folder, gone)
        if not dry_run:
            _clear(releases.folder, gone)
        removed += gone
        progress(min(start + _BATCH, len(others)), len(others))
    return Retained(tuple(removed), {name: kept[name] for name in names if name in kept})


def retained_events(
    folder: Path, policy: Policy, *, now: datetime, plain: bool = False
) -> list[Event]:
    """What `retain` is to be logged as, after a commit; its failure is no failure of the commit.

    Call it under the lock of the store only.
    """
    if not policy:
        return []
    try:
        return list(retain(Releases.open(folder, plain=plain), policy, now=now).events())
    except (KgError, OSError) as error:
        return [(logging.ERROR, f"event=retention_failed message={str(error)!r}")]


# --- what is kept -------------------------------------------------------------------------


def _kept(
    releases: Releases, policy: Policy, names: Sequence[str], now: datetime
) -> dict[str, str]:
    """Why each release is kept that this can be said of without locking it."""
    head = releases.head().name
    kept: dict[str, str] = {}
    if not policy:
        return dict.fromkeys(names, "no bound is set")
    if policy.days:
        kept |= {
            name: f"of the last {policy.days:g} days"
            for name in names
            if _is_young(releases, name, policy, now)
        }
    if policy.releases:
        chain = _chain(releases, head, policy.releases)
        kept |= dict.fromkeys(chain, f"among the last {policy.releases} up to HEAD")
        newest = names[-policy.releases :]
        kept |= dict.fromkeys(newest, f"among the newest {policy.releases}")
    for tag in releases.tags():
        kept[tag.release] = f"tagged {tag.name}"
    return kept | {head: "HEAD"}


def _is_young(releases: Releases, name: str, policy: Policy, now: datetime) -> bool:
    """Whether it is younger than the policy's days; of a clock that was set back, it is."""
    made = datetime.fromisoformat(_brief(releases, name).time)
    return now - made < timedelta(days=policy.days)


def _chain(releases: Releases, head: str, most: int) -> list[str]:
    """HEAD, its parent, and so on, as far as they are there."""
    chain: list[str] = []
    following: str | None = head
    while following and len(chain) < most:
        chain.append(following)
        try:
            following = _brief(releases, following).parent
        except FileNotFoundError:
            break
    return chain


@dataclass(frozen=True, slots=True)
class _Brief:
    """What of a manifest is asked again and again."""

    time: str
    digest: str
    parent: str | None


def _brief(releases: Releases, name: str) -> _Brief:
    file = releases.folder / "releases" / name / "manifest.json"
    return _read_brief(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=4096)
def _read_brief(file: Path, _changed: int) -> _Brief:
    # A manifest has a line for each of thousands of graphs; it never changes.
    release = read_manifest(file.parent)
    return _Brief(release.time, release.digest, release.parent)


# --- how the others go --------------------------------------------------------------------


def _removal(releases: Releases, name: str, policy: Policy, now: datetime) -> Removal:
    brief = _brief(releases, name)
    return Removal(
        name=name,
        digest=brief.digest,
        time=brief.time,
        removed=timestamp(now),
        why=str(policy),
    )


def _take_away(store: Path, gone: Sequence[Removal]) -> None:
    """Put them where nobody finds them; the record is on disk before any of them moves."""
    record_removals(store, gone)
    for removal in gone:
        (store / "releases" / removal.name).rename(_grave(store, removal))
    sync(store / "releases")


def _clear(store: Path, gone: Sequence[Removal]) -> None:
    """Give the disk back; what a crash leaves of it is swept."""
    for removal in gone:
        shutil.rmtree(_grave(store, removal), ignore_errors=True)
        for dump in (store / "dumps").glob(f"{removal.name}.*"):
            with suppress(FileNotFoundError):
                dump.unlink()


def _grave(store: Path, removal: Removal) -> Path:
    return store / "releases" / f"{STAGING}gone-{removal.name}"
