"""What the package offers is listed, documented and light to import."""

from __future__ import annotations

import subprocess
import sys

import kg


def test_public_names_are_sorted_and_documented() -> None:
    assert list(kg.__all__) == sorted(kg.__all__)
    assert all(getattr(kg, name).__doc__ for name in kg.__all__)


def test_importing_the_package_loads_no_engine() -> None:
    code = "import kg, sys; print({'rdflib', 'pyoxigraph', 'flask', 'click'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"
