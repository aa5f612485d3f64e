"""Messages of shapes, which name variables of the result that they are for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_VARIABLE: Final = re.compile(r"\{[?$](\w+)\}")


def filled(message: str, values: Mapping[str, object]) -> str:
    """The message with `{$name}` and `{?name}` replaced (SHACL 1.0, 5.3.2); others stay."""
    return _VARIABLE.sub(
        lambda found: str(values[found[1]]) if found[1] in values else found[0], message
    )


def names_variables(message: str) -> bool:
    """Whether there is anything to be filled in."""
    return _VARIABLE.search(message) is not None
