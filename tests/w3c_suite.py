"""Where the W3C test suite lies: `../shared/w3c`, or the folder that KG_W3C_TESTS names."""

import os
from pathlib import Path

import pytest

_BESIDE_REPOSITORY = Path(__file__).parents[2] / "shared" / "w3c"


def w3c_folder() -> Path:
    """The folder that should hold `rdf-tests/`, be it there or not."""
    return Path(os.environ.get("KG_W3C_TESTS", _BESIDE_REPOSITORY))


def is_there() -> bool:
    """Whether it does."""
    return (w3c_folder() / "rdf-tests").is_dir()


def w3c_suite() -> Path:
    """The folder that holds `rdf-tests/`; skips the test where there is none."""
    folder = w3c_folder()
    if not is_there():
        pytest.skip(f"the W3C test suite is not at {folder}; KG_W3C_TESTS may name it")
    return folder


def w3c_queries() -> list[Path]:
    """Every query file of the SPARQL tests, 1.0 to 1.2, good and bad ones."""
    return sorted((w3c_suite() / "rdf-tests" / "sparql").rglob("*.rq"))


def w3c_updates() -> list[Path]:
    """Every update file of the SPARQL tests."""
    return sorted((w3c_suite() / "rdf-tests" / "sparql").rglob("*.ru"))
