"""The log of requests."""

import logging
from pathlib import Path

import pytest

from kg.settings import Settings
from kg.store.base import Release
from kg.store.embedded import EmbeddedStore
from kg.web.app import create_app


def test_a_request_is_one_line_without_the_query(
    folder: Path, release: Release, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "kg.web")
    with EmbeddedStore(folder, Settings()) as store:
        create_app(store, Settings()).test_client().get("/x%0Aevent=forged?query=ASK")
    (line,) = caplog.messages
    fields = dict(field.split("=", 1) for field in line.split())
    assert float(fields.pop("ms")) > 0
    assert int(fields.pop("bytes")) > 0
    assert fields == {
        "event": "request",
        "method": "GET",
        "path": "/x%0Aevent%3Dforged",
        "status": "404",
        "release": "-",
    }
