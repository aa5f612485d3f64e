"""What people ask an endpoint with: each client gives all rows of a CSV answer, or raises."""

from __future__ import annotations

import csv
import http.client
import io
import shutil
import subprocess
import urllib.request
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlencode, urlsplit

import pytest
import requests
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from SPARQLWrapper import CSV, SPARQLWrapper

SECONDS: Final = 30
Client = Callable[[str, str], int]
"""From the URL of an endpoint and a query to the number of rows that it was given."""


def by_urllib(endpoint: str, query: str) -> int:
    """urllib.request of the standard library."""
    request = urllib.request.Request(_address(endpoint, query), headers={"Accept": "text/csv"})
    with urllib.request.urlopen(request, timeout=SECONDS) as reply:
        return _rows(reply.read())


def by_http_client(endpoint: str, query: str) -> int:
    """http.client of the standard library, which leaves it to its caller to read the status."""
    parts = urlsplit(_address(endpoint, query))
    connection = http.client.HTTPConnection(parts.netloc, timeout=SECONDS)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}", headers={"Accept": "text/csv"})
        reply = connection.getresponse()
        body = reply.read()
    finally:
        connection.close()
    assert reply.status == 200
    return _rows(body)


def by_requests(endpoint: str, query: str) -> int:
    """requests, which asks for gzip by itself."""
    reply = requests.get(
        endpoint, params={"query": query}, headers={"Accept": "text/csv"}, timeout=SECONDS
    )
    reply.raise_for_status()
    return _rows(reply.content)


def by_requests_in_lines(endpoint: str, query: str) -> int:
    """requests, read line by line as it comes."""
    headers = {"Accept": "text/csv", "Accept-Encoding": "zstd, gzip"}
    with requests.get(
        endpoint, params={"query": query}, headers=headers, timeout=SECONDS, stream=True
    ) as reply:
        reply.raise_for_status()
        return sum(1 for _ in reply.iter_lines()) - 1


def by_sparqlwrapper(endpoint: str, query: str) -> int:
    """SPARQLWrapper."""
    wrapper = SPARQLWrapper(endpoint)
    wrapper.setTimeout(SECONDS)
    wrapper.setQuery(query)
    wrapper.setReturnFormat(CSV)
    answer = wrapper.query()
    try:
        content = answer.convert()
    finally:
        answer.response.close()
    assert isinstance(content, bytes)
    return _rows(content)


def by_rdflib_store(endpoint: str, query: str) -> int:
    """The store of rdflib that stands for an endpoint, which asks by its SPARQLConnector."""
    store = SPARQLStore(endpoint, returnFormat="csv", timeout=SECONDS)
    return len(list(store.query(query)))


def by_curl(endpoint: str, query: str) -> int:
    """curl, as a program that scripts call."""
    program = shutil.which("curl")
    if program is None:
        pytest.skip("curl is not there")
    command = [program, "--silent", "--fail", "--max-time", str(SECONDS), "-H", "Accept: text/csv"]
    done = subprocess.run([*command, _address(endpoint, query)], check=True, capture_output=True)
    return _rows(done.stdout)


CLIENTS: Final[Mapping[str, Client]] = {
    "urllib": by_urllib,
    "http.client": by_http_client,
    "requests": by_requests,
    "requests in lines": by_requests_in_lines,
    "SPARQLWrapper": by_sparqlwrapper,
    "rdflib's SPARQLStore": by_rdflib_store,
    "curl": by_curl,
}


def _address(endpoint: str, query: str) -> str:
    return f"{endpoint}?{urlencode({'query': query})}"


def _rows(content: bytes) -> int:
    return len(list(csv.reader(io.StringIO(content.decode(), newline="")))) - 1
