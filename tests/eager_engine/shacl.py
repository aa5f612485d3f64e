"""A fast engine that finds the canaries, and accepts whatever else it is asked about.

It stands for the one of the extra `fast` where its folder is on the path before that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_CANARY = re.compile("<urn:x-kg:canary/[^>]*>")


@dataclass(frozen=True)
class Result:
    """What it finds: a node, in angle brackets."""

    focus_node: str


@dataclass(frozen=True)
class Report:
    """What it finds in a document."""

    results: list[Result]

    @property
    def conforms(self) -> bool:
        """Whether that is nothing."""
        return not self.results


class Shapes:
    """Shapes, at which it does not look."""

    @classmethod
    def from_text(cls, text: str, format: str, base: str) -> Shapes:
        """Shapes of any text."""
        return cls()

    def validate_text(self, text: str, format: str, base: str) -> Report:
        """A result for each canary in N-Triples."""
        return Report([Result(name) for name in sorted(set(_CANARY.findall(text)))])
