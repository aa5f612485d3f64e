"""The settings of a running `kg`: one table of name, default, type and sentence.

A value comes from the default, the environment (`KG_<NAME>`) or a flag, the later the stronger.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from kg.errors import BadSetting

_MIB = 1024 * 1024


def _setting(default: Any, sentence: str) -> Any:
    return field(default=default, metadata={"sentence": sentence})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting with its default; `metadata["sentence"]` of a field explains it."""

    workers: int = _setting(2, "Worker processes that evaluate queries at the same time.")
    deadline: float = _setting(30.0, "Seconds a query may take before its worker is ended.")
    worker_memory: int = _setting(
        2048 * _MIB, "Bytes of address space a worker may take while it evaluates."
    )
    answer_bytes: int = _setting(512 * _MIB, "Bytes an answer may have, uncompressed.")
    spool_memory: int = _setting(_MIB, "Bytes of an answer kept in memory; more goes to a file.")
    queue_seconds: float = _setting(5.0, "Seconds a query waits for a free worker before 503.")
    query_bytes: int = _setting(_MIB // 4, "Bytes a query may have.")
    nesting: int = _setting(128, "Levels that the brackets of a query may nest.")
    body_bytes: int = _setting(2 * _MIB, "Bytes a request body may have.")

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None, **flags: Any) -> Settings:
        """Defaults, overridden by `KG_*` of the environment, overridden by flags that are not None.

        Raises BadSetting where a value of the environment is not of the setting's type or is
        not above zero.
        """
        environ = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        for setting in fields(cls):
            text = environ.get(f"KG_{setting.name.upper()}")
            if text is not None:
                values[setting.name] = _parsed(setting.name, text, whole=setting.type == "int")
        values.update({name: value for name, value in flags.items() if value is not None})
        return cls(**values)


def _parsed(name: str, text: str, *, whole: bool) -> float:
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        value = 0
    if not value > 0:
        wanted = "a whole number" if whole else "a number"
        raise BadSetting(f"KG_{name.upper()}", text, f"{wanted} above zero")
    return value
