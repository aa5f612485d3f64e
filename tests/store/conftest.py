"""A store on disk, and workers to ask it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kg.media import CSV, Format
from kg.settings import Settings
from kg.store.base import Release
from kg.store.workers import WorkerPool
from store_parts import Ask, task


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture(scope="session")
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(1, memory=Settings().worker_memory, queue_seconds=20) as pool:
        yield pool


@pytest.fixture(scope="session")
def ask(pool: WorkerPool) -> Ask:
    """The bytes of the answer that a worker gives."""

    def asked(release: Release, query: str, format: Format = CSV, **options: Any) -> bytes:
        with pool.run(task(release, query, format, **options)) as spool:
            return spool.read()

    return asked
