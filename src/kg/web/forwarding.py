"""What a reverse proxy tells of a request, believed only where an operator named the proxy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from kg.settings import Settings

HOST: Final = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?")
_PREFIX: Final = re.compile(r"(?:/[A-Za-z0-9._~-]+)*/?")
_PAIR: Final = re.compile(r'\s*([A-Za-z]+)=(?:"([^"\\]*)"|([^\s";,=]+))\s*')
_LONGEST: Final = 4096
"""Characters of a field that are looked at: a longer one is no proxy's."""

_Address = IPv4Address | IPv6Address


class Headers(Protocol):
    """The fields of a request, as granian gives them; values that are not ASCII are left out."""

    def get(self, key: str, default: Any = None) -> Any: ...  # noqa: D102
    def get_all(self, key: str) -> list[str]: ...  # noqa: D102
    def items(self) -> list[tuple[str, str]]: ...  # noqa: D102


class Scope(Protocol):
    """The head of a request; `path` is decoded, with U+FFFD for what is not UTF-8."""

    @property
    def http_version(self) -> str: ...  # noqa: D102
    @property
    def server(self) -> str: ...  # noqa: D102
    @property
    def client(self) -> str: ...  # noqa: D102
    @property
    def scheme(self) -> str: ...  # noqa: D102
    @property
    def method(self) -> str: ...  # noqa: D102
    @property
    def path(self) -> str: ...  # noqa: D102
    @property
    def query_string(self) -> str: ...  # noqa: D102
    @property
    def headers(self) -> Headers: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A request as its client sent it to the proxy: `prefix` and `host` are those it knows."""

    http_version: str
    server: str
    client: str
    scheme: str
    method: str
    path: str
    query_string: str
    headers: Headers
    prefix: str
    host: str | None

    def into(self, environ: dict[str, Any]) -> None:
        """Put host and prefix where WSGI has them (PEP 3333)."""
        environ["SCRIPT_NAME"] = self.prefix
        if self.host is not None:
            environ["HTTP_HOST"] = self.host


@dataclass(frozen=True, slots=True)
class _Told:
    """What the proxies in between say; None where nothing that can be believed is said."""

    client: str | None = None
    scheme: str | None = None
    host: str | None = None
    prefix: str | None = None


class Forwarding:
    """Turns requests as they came into requests as they were sent. One that lies stays as it is.

    The setting public_url is stronger than what a proxy says of scheme, host and prefix.
    """

    def __init__(self, settings: Settings) -> None:
        self._trusted = [
            ip_network(part) for part in settings.trusted_proxies.split(",") if part.strip()
        ]
        url = urlsplit(settings.public_url)
        self._public = (
            _Told(scheme=url.scheme, host=url.netloc, prefix=url.path.rstrip("/"))
            if settings.public_url
            else _Told()
        )

    @classmethod
    def of(cls, settings: Settings) -> Forwarding | None:
        """None where neither setting is set, so that nothing is looked at."""
        return cls(settings) if settings.public_url or settings.trusted_proxies else None

    def trusts(self, client: str) -> bool:
        """Whether the peer (address and port) is a proxy that is believed."""
        address = _address(client)
        return address is not None and self._is_trusted(address)

    def seen(self, scope: Scope) -> Scope:
        """The request as its client sent it."""
        told = self._told(scope.headers) if self.trusts(scope.client) else _Told()
        public = self._public
        prefix = told.prefix or "" if public.prefix is None else public.prefix
        return Forwarded(
            http_version=scope.http_version,
            server=scope.server,
            client=told.client or scope.client,
            scheme=public.scheme or told.scheme or scope.scheme,
            method=scope.method,
            path=_without(prefix, scope.path),
            query_string=scope.query_string,
            headers=scope.headers,
            prefix=prefix,
            host=public.host or told.host,
        )

    def _told(self, headers: Headers) -> _Told:
        """From X-Forwarded-*; from Forwarded (RFC 7239) only where no X-Forwarded-For is there.

        A proxy that writes the one may pass on the other as a client made it up.
        """
        if headers.get_all("x-forwarded-for") or not headers.get_all("forwarded"):
            return self._told_by_x(headers)
        return self._told_by_standard(headers)

    def _told_by_x(self, headers: Headers) -> _Told:
        """Of scheme, host and prefix the last value: the nearest proxy wrote it."""
        client = None
        for text in reversed(_list(headers, "x-forwarded-for")):
            address = _address(text)
            if address is None:
                break
            client = str(address)
            if not self._is_trusted(address):
                break
        return _Told(
            client=_joined(client),
            scheme=_scheme(_last(headers, "x-forwarded-proto")),
            host=_host(_last(headers, "x-forwarded-host")),
            prefix=_prefix(_last(headers, "x-forwarded-prefix")),
        )

    def _told_by_standard(self, headers: Headers) -> _Told:
        """Of the element that tells of the client: the proxy next to that client wrote it."""
        client, found = None, dict[str, str]()
        for element in reversed(_list(headers, "forwarded")):
            pairs = dict(_pairs(element))
            address = _address(pairs.get("for", ""))
            if address is None:
                break
            client, found = str(address), pairs
            if not self._is_trusted(address):
                break
        return _Told(
            client=_joined(client),
            scheme=_scheme(found.get("proto")),
            host=_host(found.get("host")),
            prefix=_prefix(_last(headers, "x-forwarded-prefix")),
        )

    def _is_trusted(self, address: _Address) -> bool:
        return any(address in network for network in self._trusted)


def _without(prefix: str, path: str) -> str:
    """The path below the prefix; as it is where the proxy took the prefix off already."""
    if prefix and (path == prefix or path.startswith(f"{prefix}/")):
        return path[len(prefix) :] or "/"
    return path


def _list(headers: Headers, name: str) -> list[str]:
    """The members of a field that is a list; none of one that is too long to be a proxy's."""
    text = ",".join(headers.get_all(name))
    return [part.strip() for part in text.split(",")] if len(text) <= _LONGEST else []


def _last(headers: Headers, name: str) -> str | None:
    values = _list(headers, name)
    return values[-1] if values else None


def _pairs(element: str) -> Iterator[tuple[str, str]]:
    """The parameters of one element of Forwarded; none where it is malformed."""
    found = [_PAIR.fullmatch(part) for part in element.split(";") if part.strip()]
    for pair in found if all(found) else []:
        if pair:
            yield pair[1].lower(), pair[2] or pair[3] or ""


def _address(text: str) -> _Address | None:
    """The address of a node, with or without a port and brackets; None for anything else.

    The zone of IPv6 is left out: it means nothing here, and may be any text.
    """
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _joined(address: str | None) -> str | None:
    """As granian writes the address of a peer: with a port, which nobody told."""
    if address is None:
        return None
    return f"[{address}]:0" if ":" in address else f"{address}:0"


def _scheme(text: str | None) -> str | None:
    return text.lower() if text and text.lower() in ("http", "https") else None


def _host(text: str | None) -> str | None:
    return text if text and HOST.fullmatch(text) else None


def _prefix(text: str | None) -> str | None:
    return text.rstrip("/") if text and _PREFIX.fullmatch(text) else None
