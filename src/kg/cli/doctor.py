"""`kg doctor`: whether this machine and this store give what `kg` rests on."""

from __future__ import annotations

import json
import platform
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Final

import click
from rich.table import Table

from kg.cli.options import store_option
from kg.cli.tables import show_table
from kg.errors import KgError
from kg.media import JSON
from kg.settings import Settings
from kg.store.base import Release, Task
from kg.store.confinement import Isolation
from kg.store.embedded import EmbeddedStore
from kg.store.probe import Confinement, probed
from kg.store.releases import FORMAT


class Verdict(StrEnum):
    """What a check came to: `kg` works, with less protection than it could have, or not."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, what came of it, and what was found."""

    name: str
    verdict: Verdict
    found: str


_NETWORK: Final = {
    Isolation.NAMESPACE: "workers have no network: each is in a namespace of its own",
    Isolation.LANDLOCK: "workers cannot connect by TCP (Landlock); UDP, so a look-up of names, is"
    " left, because the kernel refuses a network namespace",
    Isolation.NONE: "workers have the network: the kernel grants neither a namespace nor Landlock"
    " of version 4 or later; only the look at each query keeps SERVICE from calling out",
}


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
@click.pass_context
def doctor(ctx: click.Context, store: Path, written: str) -> None:
    """Check what kg rests on: isolation, memory limit, store, temporary files, versions.

    The exit code is 1 where something does not work. A warning is no error: kg works, with less
    protection than it could have.
    """
    settings = Settings.read()
    checks = [*_machine(settings), _store(store, settings), _temporary_files(), _versions()]
    if written == "json":
        click.echo(json.dumps([asdict(check) for check in checks], indent=2))
    else:
        table = Table("check", "", "found")
        for check in checks:
            table.add_row(check.name, check.verdict, check.found)
        show_table(table)
    if any(check.verdict is Verdict.ERROR for check in checks):
        ctx.exit(KgError.exit_code)


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


def _store(folder: Path, settings: Settings) -> Check:
    """Whether a worker can open the release that HEAD names."""
    try:
        with EmbeddedStore(folder, settings) as store:
            head = store.release()
            store.query(_question(head, settings)).close()
    except KgError as error:
        return Check("store", Verdict.ERROR, str(error))
    return Check("store", Verdict.OK, f"HEAD is {head.name}: {head.quads} quads; format {FORMAT}")


def _question(release: Release, settings: Settings) -> Task:
    return Task(
        release=release.folder,
        query="ASK {}",
        format=JSON,
        deadline=settings.deadline,
        answer_bytes=settings.answer_bytes,
        spool_memory=settings.spool_memory,
    )


def _temporary_files() -> Check:
    try:
        with tempfile.TemporaryFile() as file:
            file.write(b"answers larger than KG_SPOOL_MEMORY go to such files")
            file.flush()
    except OSError as error:
        return Check("temporary files", Verdict.ERROR, f"none can be written: {error}")
    return Check("temporary files", Verdict.OK, f"can be written in {tempfile.gettempdir()}")


def _versions() -> Check:
    python, engine = platform.python_version(), version("pyoxigraph")
    return Check("versions", Verdict.OK, f"kg {version('kg')}, Python {python}, Oxigraph {engine}")
