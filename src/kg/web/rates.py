"""How many evaluations each address may start: a bucket of tokens that fills by the minute."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final

from kg.errors import TooManyRequests

_ADDRESSES: Final = 50_000
"""Buckets that are kept; the one used longest ago is forgotten first, and so is full again."""
_SECONDS: Final = 60.0


class Rates:
    """At most `limit` evaluations a minute for each address; for any thread."""

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def admit(self, address: str) -> None:
        """Count one evaluation; raises TooManyRequests where the bucket is empty."""
        client = _client(address)
        with self._lock:
            now = self._clock()
            tokens, then = self._buckets.pop(client, (float(self._limit), now))
            tokens = min(self._limit, tokens + (now - then) * self._limit / _SECONDS)
            admitted = tokens >= 1
            self._buckets[client] = (tokens - admitted, now)
            if len(self._buckets) > _ADDRESSES:
                self._buckets.popitem(last=False)
        if not admitted:
            raise TooManyRequests(self._limit, math.ceil((1 - tokens) * _SECONDS / self._limit))


@lru_cache(maxsize=4096)
def _client(address: str) -> str:
    """Who an address is: of IPv6 the network of 64 bits, which one client has to itself."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if not isinstance(ip, IPv6Address):
        return address
    return str(ip.ipv4_mapped or IPv6Address(int(ip) >> 64 << 64))
