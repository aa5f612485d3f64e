"""The number of evaluations that one address may start."""

from pathlib import Path

import pytest

from kg.errors import TooManyRequests
from kg.store.base import Release
from kg.web.rates import Rates
from kg_server import running


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def admitted(rates: Rates, address: str, most: int = 1000) -> int:
    for number in range(most):
        try:
            rates.admit(address)
        except TooManyRequests:
            return number
    return most


def test_a_minute_s_worth_is_admitted_at_once_and_then_so_many_a_minute() -> None:
    clock = Clock()
    rates = Rates(60, clock)
    assert admitted(rates, "192.0.2.1") == 60
    clock.now += 5
    assert admitted(rates, "192.0.2.1") == 5
    clock.now += 1000
    assert admitted(rates, "192.0.2.1") == 60


def test_the_error_says_when_to_try_again() -> None:
    rates = Rates(6, Clock())
    assert admitted(rates, "192.0.2.1") == 6
    with pytest.raises(TooManyRequests) as caught:
        rates.admit("192.0.2.1")
    assert (caught.value.limit, caught.value.seconds) == (6, 10)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("no address", "other", False),
    ],
)
def test_a_client_is_an_address_or_a_network_of_64_bits(one: str, other: str, same: bool) -> None:
    rates = Rates(3, Clock())
    assert admitted(rates, one) == 3
    assert admitted(rates, other) == (0 if same else 3)


def test_only_evaluations_count(folder: Path, release: Release, tmp_path: Path) -> None:
    with running(folder, tmp_path / "log", workers=1, client_rate=5) as server:
        given = [server.query(f"ASK {{}} # {number}") for number in range(5)]
        refused = server.query("ASK {} # too many")
        kept = [server.query("ASK {} # 1") for _ in range(20)]
        fresh = server.send(
            "/sparql?query=ASK+%7B%7D+%23+1&timeout=1",
            headers={"If-None-Match": given[1].headers["etag"]},
        )
        style, page = server.send("/static/style.css"), server.send("/")
    assert {reply.status for reply in (*given, *kept, style)} == {200}
    assert page.status == 429  # it asks the workers, as a query does
    assert (fresh.status, refused.status) == (304, 429)
    assert refused.problem["limit"] == 5
    assert 1 <= int(refused.headers["retry-after"]) <= 12
