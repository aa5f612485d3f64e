"""The files of `deploy/`: read by the programs that they are for, as far as those are here."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest
from dockerfile_parse import DockerfileParser

from kg.settings import Settings
from kg_server import Server, running
from processes import eventually

DEPLOY = Path(__file__).parents[1] / "deploy"
UNIT = DEPLOY / "kg.service"


# --- the container ------------------------------------------------------------------------


@pytest.fixture
def containerfile() -> DockerfileParser:
    content = (DEPLOY / "Containerfile").read_bytes()
    return DockerfileParser(fileobj=BytesIO(content))


def value(file: DockerfileParser, instruction: str) -> str:
    """The one value of an instruction."""
    (found,) = [each["value"] for each in file.structure if each["instruction"] == instruction]
    return str(found)


def test_the_container_runs_as_a_user_with_its_store_outside(
    containerfile: DockerfileParser,
) -> None:
    assert containerfile.baseimage == "docker.io/library/python:3.11-slim"
    assert value(containerfile, "USER") == "10001"
    assert value(containerfile, "VOLUME") == containerfile.envs["KG_STORE"] == "/store"
    assert json.loads(value(containerfile, "ENTRYPOINT")) == ["kg"]
    assert json.loads(value(containerfile, "CMD")) == ["serve"]
    assert value(containerfile, "EXPOSE") == containerfile.envs["KG_PORT"]


def test_the_settings_of_the_container_are_settings(containerfile: DockerfileParser) -> None:
    named = {name for name in containerfile.envs if name.startswith("KG_")} - {"KG_STORE"}
    assert named == {"KG_HOST", "KG_PORT"}
    assert Settings.read(containerfile.envs).host == "0.0.0.0"  # noqa: S104 - in the container


def test_the_health_check_of_the_container_follows_the_server(
    containerfile: DockerfileParser, built: Path, tmp_path: Path
) -> None:
    command = json.loads(value(containerfile, "HEALTHCHECK").partition("CMD ")[2])
    assert command[0] == "python"

    def looked(port: int) -> int:
        ran = subprocess.run(
            [sys.executable, *command[1:]], env={"KG_PORT": str(port)}, capture_output=True
        )
        return ran.returncode

    with running(built, tmp_path / "log", workers=1) as server:
        good, port = looked(server.port), server.port
        (built / "HEAD").unlink()
        unready = looked(port)
    assert (good, unready, looked(port)) == (0, 1, 1)


# --- systemd ------------------------------------------------------------------------------


def directives() -> dict[str, str]:
    lines = [line for line in UNIT.read_text().splitlines() if re.match("[A-Z][A-Za-z]+=", line)]
    return dict(line.split("=", 1) for line in lines)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that is here."""
    program = tmp_path / "kg"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/opt/kg/bin/kg", str(program)))
    return copy


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
def test_systemd_takes_every_line_of_the_unit(unit: Path) -> None:
    ran = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True
    )
    assert [line for line in ran.stderr.splitlines() if UNIT.name in line] == []
    assert ran.returncode == 0, ran.stderr


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
def test_systemd_finds_the_unit_well_confined(unit: Path) -> None:
    ran = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=25", "--no-pager", unit],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_unit_lets_workers_confine_themselves() -> None:
    found = directives()
    assert set(found["RestrictNamespaces"].split()) == {"net", "user"}
    assert {"landlock_create_ruleset", "landlock_restrict_self"} <= set(
        found["SystemCallFilter"].split()
    )


def test_the_unit_waits_for_as_long_as_a_server_may_take_to_end() -> None:
    settings = Settings()
    longest = settings.deadline + settings.queue_seconds + 5
    assert float(directives()["TimeoutStopSec"]) > longest
    assert directives()["KillMode"] == "mixed"  # else workers would get the signal, too


# --- nginx --------------------------------------------------------------------------------


@contextmanager
def nginx(folder: Path, kg: int) -> Iterator[int]:
    """The port of an nginx with our file in front of a server."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    location = (DEPLOY / "nginx.conf").read_text().replace("127.0.0.1:8080", f"127.0.0.1:{kg}")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error;\n"
        f"events {{}} http {{ access_log off; {paths}\n"
        f"server {{ listen 127.0.0.1:{port}; {location} }} }}\n"
    )
    process = subprocess.Popen(["nginx", "-c", file, "-e", folder / "error"])
    try:
        assert eventually(lambda: _listens(port)), (folder / "error").read_text()
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not here")
def test_nginx_with_our_file_leads_to_every_part_of_the_server(built: Path, tmp_path: Path) -> None:
    settings: dict[str, float | str] = {
        "workers": 1,
        "client_rate": 2,  # the page, and one query
        "public_url": "https://data.example.org/kg/",
        "trusted_proxies": "127.0.0.1",
    }
    log = tmp_path / "log"
    with running(built, log, **settings) as server, nginx(tmp_path, server.port) as port:
        through = Server(f"http://127.0.0.1:{port}/", server.process)
        page = through.send("/kg/", headers={"Accept": "text/html"})
        style = through.send("/kg/static/style.css")
        described = through.send("/kg/sparql", headers={"Accept": "application/n-triples"})
        made_up = {"X-Forwarded-For": "6.6.6.6", "Forwarded": "for=6.6.6.7"}
        told = [
            through.send(f"/kg/sparql?query=ASK%7B%7D%23{number}", headers=made_up).status
            for number in range(2)
        ]
        metrics = through.send("/kg/metrics").status
    assert (page.status, style.status, metrics, told) == (200, 200, 403, [200, 429])
    assert b'href="/kg/static/style.css?v=' in page.body
    assert b"<https://data.example.org/kg/sparql>" in described.body
    assert "6.6.6." not in log.read_text()
