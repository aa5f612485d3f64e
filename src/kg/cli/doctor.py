"""`kg doctor`: whether this machine and this store give what `kg` rests on."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import click
from rich.markup import escape
from rich.table import Table

from kg.cli.checks import (
    Check,
    Verdict,
    clock,
    disk,
    file_system,
    inotify,
    open_files,
    temporary_files,
)
from kg.cli.options import store_option
from kg.cli.show import progress
from kg.cli.tables import show_table
from kg.errors import BadSetting, KgError
from kg.media import JSON
from kg.settings import Settings, given
from kg.store.base import Release, Task
from kg.store.confinement import Isolation
from kg.store.embedded import EmbeddedStore
from kg.store.probe import Confinement, probed
from kg.store.releases import FORMAT, Releases
from kg.store.usage import usage
from kg.store.verification import verify

_NETWORK: Final = {
    Isolation.NAMESPACE: "workers have no network: each is in a namespace of its own",
    Isolation.LANDLOCK: "workers cannot connect by TCP (Landlock); UDP, so a look-up of names, is"
    " left, because the kernel refuses a network namespace",
    Isolation.NONE: "workers have the network: the kernel grants neither a namespace nor Landlock"
    " of version 4 or later; only the look at each query keeps SERVICE from calling out",
}
_OTHERS: Final = ("KG_CONFIG", "KG_PROJECT", "KG_STORE")
_LEFT_SECONDS: Final = 3600.0
"""After so long, what a write has not finished was left by a crash."""


@click.command()
@store_option
@click.option(
    "--format",
    "written",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How the checks are written.",
)
@click.option("--deep", is_flag=True, help="Also make every digest of every release anew.")
@click.pass_context
def doctor(ctx: click.Context, store: Path, written: str, *, deep: bool) -> None:
    """Check what kg rests on: settings, isolation, store, disk, clock, versions.

    The exit code is 1 where something does not work. A warning is no error: kg works, with less
    protection or less room than it should have.
    """
    settings, told = _settings()
    checks = [told, *_machine(settings), *_about_store(store, settings, deep=deep)]
    checks += [*temporary_files(), open_files(), inotify(), _versions()]
    if written == "json":
        click.echo(json.dumps([asdict(check) for check in checks], indent=2))
    else:
        table = Table("check", "", "found")
        for check in checks:
            table.add_row(check.name, check.verdict, escape(check.found))
        show_table(table)
    if any(check.verdict is Verdict.ERROR for check in checks):
        ctx.exit(KgError.exit_code)


def _settings() -> tuple[Settings, Check]:
    """The settings as far as they are good, and what is not the default or wrong."""
    values: dict[str, Any] = {}
    wrong, changed = [], []
    try:
        for each in given():
            try:
                values[each.name] = each.value()
            except BadSetting as error:
                wrong.append(str(error).replace("\n ", ";"))
            if each.origin != "default":
                changed.append(f"{each.name} from {each.origin}")
    except KgError as error:  # the file as a whole
        wrong.append(str(error).replace("\n ", ";"))
    if wrong:
        return Settings(**values), Check("settings", Verdict.ERROR, "; ".join(wrong))
    if unknown := sorted(filter(_is_no_setting, os.environ)):
        found = ", ".join([*changed, *(f"{name} is set, and is no setting" for name in unknown)])
        return Settings(**values), Check("settings", Verdict.WARNING, found)
    found = ", ".join(changed) or "all have their defaults"
    return Settings(**values), Check("settings", Verdict.OK, found)


def _is_no_setting(variable: str) -> bool:
    """Whether it looks like a setting, and nothing reads it."""
    return variable.startswith("KG_") and variable not in {*Settings.described(), *_OTHERS}


def _machine(settings: Settings) -> Iterator[Check]:
    """What the kernel does to a worker, seen from within one."""
    try:
        found = probed(settings.worker_memory)
    except (OSError, subprocess.SubprocessError) as error:
        yield Check("workers", Verdict.ERROR, f"a confined process does not run: {error}")
        return
    yield _network(found)
    yield Check("landlock", Verdict.OK, f"version {found.landlock_abi}; 0 is none")
    yield _memory(found, settings.worker_memory)


def _network(found: Confinement) -> Check:
    if found.reached and found.isolation is not Isolation.NONE:
        problem = f"the kernel granted a {found.isolation}, and the network is reached all the same"
        return Check("network", Verdict.ERROR, problem)
    verdict = Verdict.OK if found.isolation is Isolation.NAMESPACE else Verdict.WARNING
    return Check("network", verdict, _NETWORK[found.isolation])


def _memory(found: Confinement, limit: int) -> Check:
    if found.memory_limited:
        return Check("memory", Verdict.OK, f"a worker is held to {limit // 2**20} MiB")
    return Check("memory", Verdict.ERROR, f"a worker takes more than its {limit // 2**20} MiB")


# --- the store ----------------------------------------------------------------------------


def _about_store(folder: Path, settings: Settings, *, deep: bool) -> Iterator[Check]:
    found = _store(folder, settings)
    yield found
    if found.verdict is Verdict.OK:
        yield _leftovers(folder)
        if deep:
            yield _digests(folder, settings)
    if (folder / "kg-store.json").is_file():
        yield from file_system(folder)
        yield disk("store disk", folder, wanted=2 * usage(folder).bytes)
    yield clock(_newest(folder, settings))


def _store(folder: Path, settings: Settings) -> Check:
    """Whether a worker can open the release that HEAD names."""
    try:
        with EmbeddedStore(folder, settings) as store:
            head = store.release()
            store.query(_question(head, settings)).close()
    except KgError as error:
        return Check("store", Verdict.ERROR, str(error))
    return Check("store", Verdict.OK, f"HEAD is {head.name}: {head.quads} quads; format {FORMAT}")


def _leftovers(folder: Path) -> Check:
    """What crashed writes left; the next write removes it."""
    left = [*folder.glob("releases/.staging-*"), *folder.glob(".*.new"), *folder.glob("*/.*.new")]
    old = [path for path in left if _age(path) > _LEFT_SECONDS]
    if old:
        found = f"{len(old)} left by crashed writes, such as {old[0].name}; the next write or the"
        return Check("leftovers", Verdict.WARNING, f"{found} next start of kg serve removes them")
    found = f"{len(left)} of a write that may be under way" if left else "none"
    return Check("leftovers", Verdict.OK, found)


def _age(path: Path) -> float:
    with suppress(OSError):
        return time.time() - path.stat().st_mtime
    return 0.0


def _digests(folder: Path, settings: Settings) -> Check:
    """Whether every release holds what its manifest says."""
    try:
        releases = Releases.open(folder.resolve(), plain=settings.plain).all()
        with progress() as report:
            for release in releases:
                verify(release.folder, report)
    except KgError as error:
        return Check("digests", Verdict.ERROR, str(error))
    return Check("digests", Verdict.OK, f"those of {len(releases)} releases are right")


def _newest(folder: Path, settings: Settings) -> str | None:
    """The latest time that a release has; None where there is none that can be read."""
    with suppress(KgError):
        releases = Releases.open(folder.resolve(), plain=settings.plain).all()
        return max((release.time for release in releases), default=None)
    return None


def _question(release: Release, settings: Settings) -> Task:
    return Task(
        release=release.folder,
        query="ASK {}",
        format=JSON,
        deadline=settings.deadline,
        answer_bytes=settings.answer_bytes,
        spool_memory=settings.spool_memory,
    )


def _versions() -> Check:
    python, engine = platform.python_version(), version("pyoxigraph")
    return Check("versions", Verdict.OK, f"kg {version('kg')}, Python {python}, Oxigraph {engine}")
