"""The log of requests."""

import logging
import re
import time
from pathlib import Path

import pytest

from kg.store.base import Release
from kg.web.access_log import AccessLog
from kg_server import running


def test_a_request_is_one_line_without_the_query(
    folder: Path, release: Release, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with running(folder, log, workers=1) as server:
        server.send("/x%0Aevent=forged?query=ASK")
        line = line_of(log, "forged")
    date, fields = line[:29], dict(field.split("=", 1) for field in line[29:].split())
    assert date.startswith("time=2")
    assert float(fields.pop("ms")) > 0
    assert re.fullmatch("[0-9a-f]{8}-[0-9a-f]+", fields.pop("request"))
    assert int(fields.pop("bytes")) > 0
    assert fields == {
        "level": "INFO",
        "event": "request",
        "method": "GET",
        "path": "/x%0Aevent%3Dforged",
        "status": "404",
        "release": "-",
        "query": "-",
        "client": "127.0.0.1",
    }


def test_many_requests_are_one_record_with_a_line_each(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "kg.access")
    log = AccessLog()
    for status in (200, 404):
        log.add(
            "GET",
            "/",
            status,
            release="-",
            size="1",
            request="a-1",
            query="-",
            client="::1",
            seconds=0.001,
        )
    assert caplog.messages == []
    log.flush()
    (message,) = caplog.messages
    assert ["status=200" in line for line in message.splitlines()] == [True, False]


def line_of(log: Path, word: str) -> str:
    """The line with this word, which is written within a moment."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        lines = [line for line in log.read_text().splitlines() if word in line]
        if lines:
            return lines[0]
        time.sleep(0.02)
    raise AssertionError(log.read_text())
