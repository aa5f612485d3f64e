"""How the serving process ends: what runs is answered first, and whoever comes until then."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Collection

from kg.web.health import Health
from kg.web.notifying import notify

_log = logging.getLogger(__name__)


class Ending:
    """Takes SIGTERM from granian, which would stop listening at once, and hands it SIGINT later.

    `running` gives the work that is under way. A process whose parent is gone, so that nobody
    waits for it, ends at once: another server may want its address.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        health: Health,
        running: Callable[[], Collection[asyncio.Future[object]]],
        flush: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._health = health
        self._running = running
        self._flush = flush
        self._parent = os.getppid()
        self._draining: asyncio.Task[None] | None = None
        loop.add_signal_handler(signal.SIGTERM, self._told)

    def _told(self) -> None:
        if os.getppid() != self._parent:
            self._flush()
            os._exit(1)
        if self._draining is None:
            self._health.stopping = True
            notify("STOPPING=1")
            running = list(self._running())
            _log.info("event=stopping running=%d", len(running))
            self._draining = self._loop.create_task(_drained(running))


async def _drained(running: list[asyncio.Future[object]]) -> None:
    """Let granian end, which waits for answers that are being sent."""
    if running:
        await asyncio.wait(running)
    signal.raise_signal(signal.SIGINT)
