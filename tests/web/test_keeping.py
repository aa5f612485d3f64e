"""What pages keep of releases: made once, and kept while it is asked for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from kg.errors import QueueFull
from kg.web.pages.keeping import Kept


def test_many_who_ask_at_one_moment_have_it_made_once() -> None:
    kept, made, go = Kept[int](10), list[int](), threading.Event()

    def make() -> int:
        go.wait(10)
        made.append(1)
        return 7

    with ThreadPoolExecutor(5) as pool:
        asked = [pool.submit(kept.get, "key", make) for _ in range(5)]
        go.set()
        assert [each.result(10) for each in asked] == [7] * 5
    assert made == [1]


def test_what_is_slow_to_make_keeps_nobody_from_another_key() -> None:
    kept, go = Kept[int](10), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(kept.get, "slow", lambda: int(go.wait(10)))
        assert kept.get("other", lambda: 2) == 2
        go.set()
        assert slow.result(10) == 1


def test_the_key_asked_for_longest_ago_goes_first() -> None:
    kept, made = Kept[str](10, 2), list[str]()

    def ask(key: str) -> None:
        def make() -> str:
            made.append(key)
            return key

        kept.get(key, make)

    for key in "abaca":
        ask(key)
    assert made == ["a", "b", "c"]
    ask("b")
    assert made == ["a", "b", "c", "b"]


def test_after_a_failure_the_next_makes_it() -> None:
    kept = Kept[int](10)
    with pytest.raises(ZeroDivisionError):
        kept.get("key", lambda: 1 // 0)
    assert kept.get("key", lambda: 3) == 3


def test_who_waits_gives_up_in_the_end() -> None:
    """Each of many who wait for what fails would wait for all before it."""
    kept, go, begun = Kept[int](0.05), threading.Event(), threading.Event()

    def make() -> int:
        begun.set()
        return int(go.wait(10))

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(kept.get, "key", make)
        begun.wait(10)
        with pytest.raises(QueueFull):
            kept.get("key", lambda: 2)
        go.set()
        assert slow.result(10) == 1
