"""What is believed of a proxy's word, and of whose."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.settings import Settings
from kg.web.forwarding import Forwarded, Forwarding

PROXIES = Settings(trusted_proxies="10.0.0.0/8,2001:db8:1::/48")
PUBLIC = Settings(public_url="https://data.example.org/kg/")
BOTH = Settings(trusted_proxies="10.0.0.0/8", public_url="https://data.example.org/kg/")


@dataclass
class Fields:
    values: dict[str, list[str]]

    def get(self, key: str, default: object = None) -> object:
        return self.values.get(key, [default])[0]

    def get_all(self, key: str) -> list[str]:
        return self.values.get(key, [])

    def items(self) -> list[tuple[str, str]]:
        return [(name, value) for name, values in self.values.items() for value in values]


@dataclass
class Scope:
    headers: Fields
    client: str = "10.0.0.1:4711"
    path: str = "/sparql"
    http_version: str = "1.1"
    server: str = "10.0.0.9:8080"
    scheme: str = "http"
    method: str = "GET"
    query_string: str = ""
    seen: list[str] = field(default_factory=list)


def seen(
    settings: Settings, *, client: str = "10.0.0.1:4711", path: str = "/sparql", **values: str
) -> Forwarded:
    forwarding = Forwarding.of(settings)
    assert forwarding
    fields = Fields({name.replace("_", "-"): [value] for name, value in values.items()})
    found = forwarding.seen(Scope(fields, client=client, path=path))
    assert isinstance(found, Forwarded)
    return found


def test_without_the_two_settings_nothing_is_looked_at() -> None:
    assert Forwarding.of(Settings()) is None


@pytest.mark.parametrize(
    ("told", "client"),
    [
        ("1.2.3.4", "1.2.3.4:0"),
        ("1.2.3.4:5678", "1.2.3.4:0"),
        ("6.6.6.6, 1.2.3.4", "1.2.3.4:0"),
        ("6.6.6.6, 1.2.3.4, 10.0.0.7", "1.2.3.4:0"),
        ("10.0.0.8, 10.0.0.7", "10.0.0.8:0"),
        ("2001:db8:2::1", "[2001:db8:2::1]:0"),
        ("[2001:db8:2::1]:80", "[2001:db8:2::1]:0"),
        ("1.2.3.4, 2001:db8:1::5", "1.2.3.4:0"),
        ("::ffff:1.2.3.4", "1.2.3.4:0"),
        ("1.2.3.4, nobody", "10.0.0.1:4711"),
        ("1.2.3.4, nobody, 10.0.0.7", "10.0.0.7:0"),
        ("", "10.0.0.1:4711"),
        (",,", "10.0.0.1:4711"),
        ("1.2.3.4," * 2000, "10.0.0.1:4711"),
    ],
)
def test_the_client_is_the_last_address_that_is_not_trusted(told: str, client: str) -> None:
    assert seen(PROXIES, x_forwarded_for=told).client == client


@pytest.mark.parametrize(
    ("told", "client", "scheme", "host"),
    [
        ('for=1.2.3.4;proto=https;host="a.org"', "1.2.3.4:0", "https", "a.org"),
        ("for=6.6.6.6;host=evil, for=1.2.3.4", "1.2.3.4:0", "http", None),
        ("For=1.2.3.4;proto=https, for=10.0.0.7;proto=http", "1.2.3.4:0", "https", None),
        ('for="[2001:db8:2::1]:47"', "[2001:db8:2::1]:0", "http", None),
        ("for=_hidden;proto=https", "10.0.0.1:4711", "http", None),
        ("for=unknown", "10.0.0.1:4711", "http", None),
        ('for="1.2.3.4;proto=https', "10.0.0.1:4711", "http", None),
        ("proto=https", "10.0.0.1:4711", "http", None),
    ],
)
def test_the_field_of_the_standard_tells_by_element(
    told: str, client: str, scheme: str, host: str | None
) -> None:
    found = seen(PROXIES, forwarded=told)
    assert (found.client, found.scheme, found.host) == (client, scheme, host)


def test_the_field_of_the_standard_is_nothing_beside_the_usual_one() -> None:
    """A proxy that writes the one passes the other on as a client made it up."""
    found = seen(PROXIES, x_forwarded_for="1.2.3.4", forwarded="for=6.6.6.6;host=evil.org")
    assert (found.client, found.host) == ("1.2.3.4:0", None)


def test_what_another_than_a_trusted_proxy_says_is_nothing() -> None:
    found = seen(
        PROXIES,
        client="11.0.0.1:99",
        x_forwarded_for="1.2.3.4",
        x_forwarded_proto="https",
        x_forwarded_host="evil.org",
        x_forwarded_prefix="/evil",
    )
    assert (found.client, found.scheme, found.host, found.prefix) == (
        "11.0.0.1:99",
        "http",
        None,
        "",
    )


def test_scheme_host_and_prefix_are_those_of_the_nearest_proxy() -> None:
    found = seen(
        PROXIES,
        path="/kg/id/a",
        x_forwarded_for="1.2.3.4",
        x_forwarded_proto="http, https",
        x_forwarded_host="evil.org, data.example.org:8443",
        x_forwarded_prefix="/kg/",
    )
    assert (found.scheme, found.host) == ("https", "data.example.org:8443")
    assert (found.prefix, found.path) == ("/kg", "/id/a")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x_forwarded_proto", "javascript"),
        ("x_forwarded_host", "a b"),
        ("x_forwarded_host", "a/b"),
        ("x_forwarded_host", "user@a"),
        ("x_forwarded_prefix", "kg"),
        ("x_forwarded_prefix", "//evil.org"),
        ("x_forwarded_prefix", "/a?b"),
    ],
)
def test_a_malformed_value_is_ignored(name: str, value: str) -> None:
    found = seen(PROXIES, **{name: value})
    assert (found.scheme, found.host, found.prefix) == ("http", None, "")


@pytest.mark.parametrize(
    ("path", "below"),
    [
        ("/kg/sparql", "/sparql"),
        ("/kg", "/"),
        ("/kg/", "/"),
        ("/sparql", "/sparql"),
        ("/kgx", "/kgx"),
        ("/kg//a", "//a"),
    ],
)
def test_the_path_of_the_public_url_is_taken_off_where_it_is_there(path: str, below: str) -> None:
    found = seen(PUBLIC, path=path)
    assert (found.path, found.prefix) == (below, "/kg")
    assert (found.scheme, found.host) == ("https", "data.example.org")


def test_the_public_url_is_stronger_than_a_proxy() -> None:
    found = seen(BOTH, x_forwarded_for="1.2.3.4", x_forwarded_host="other", x_forwarded_prefix="/x")
    assert (found.host, found.prefix, found.client) == ("data.example.org", "/kg", "1.2.3.4:0")


TEXT = st.text(st.characters(max_codepoint=126), max_size=60)


@given(a=TEXT, b=TEXT, c=TEXT, d=TEXT)
def test_no_value_is_an_error(a: str, b: str, c: str, d: str) -> None:
    found = seen(PROXIES, x_forwarded_for=a, x_forwarded_host=b, x_forwarded_prefix=c)
    assert found.scheme == "http"
    assert seen(PROXIES, forwarded=f"for=1.2.3.4;{a},{d}", x_forwarded_proto=c).method == "GET"


@pytest.mark.parametrize("zone", ["eth0", 'x level=ERROR client="y'])
def test_the_zone_of_an_address_is_left_out_as_it_may_hold_any_text(zone: str) -> None:
    """It would stand in the log as it is."""
    assert seen(PROXIES, x_forwarded_for=f"fe80::1%{zone}, 10.0.0.5").client == "[fe80::1]:0"
