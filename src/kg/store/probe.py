"""What confinement really does on this machine, tried out in a process of its own.

Run as `python -m kg.store.probe MEMORY PARENT PORT MEANS…`; it prints one JSON object.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from kg.store.confinement import Isolation, confine, landlock_abi

_SECONDS: Final = 30.0
_HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Confinement:
    """What a confined process found: `reached` tells whether it could call a listening port."""

    isolation: Isolation
    landlock_abi: int
    reached: bool
    memory_limited: bool


def probed(
    memory: int, means: Sequence[Isolation] = (Isolation.NAMESPACE, Isolation.LANDLOCK)
) -> Confinement:
    """What a process found that was confined by the first of `means` that is granted.

    Raises subprocess.SubprocessError where it could not start or end.
    """
    with socket.create_server((_HOST, 0)) as server:
        arguments = map(str, (memory, os.getpid(), server.getsockname()[1], *means))
        command = [sys.executable, "-P", "-m", "kg.store.probe", *arguments]
        ran = subprocess.run(command, capture_output=True, check=True, timeout=_SECONDS)  # noqa: S603
    found = json.loads(ran.stdout)
    return Confinement(**found | {"isolation": Isolation(found["isolation"])})


def main(memory: int, parent: int, port: int, means: Sequence[Isolation]) -> None:
    """Confine this process, try what it may not do, and print what came of it."""
    abi = landlock_abi()  # asked before, since a confined process may not be told
    isolation = confine(memory=memory, parent=parent, means=means)
    found = Confinement(isolation, abi, _reaches(port), _is_limited(memory))
    print(json.dumps(asdict(found)))  # noqa: T201 - its answer to the parent


def _reaches(port: int) -> bool:
    try:
        socket.create_connection((_HOST, port), timeout=_SECONDS).close()
    except OSError:
        return False
    return True


def _is_limited(memory: int) -> bool:
    try:
        bytearray(memory)
    except MemoryError:
        return True
    return False


if __name__ == "__main__":
    memory, parent, port = map(int, sys.argv[1:4])
    main(memory, parent, port, [Isolation(name) for name in sys.argv[4:]])
