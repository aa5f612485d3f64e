"""The settings of a running `kg`: one table of name, default, type and sentence.

A value comes from the default, the environment (`KG_<NAME>`) or a flag, the later the stronger.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, Final

from kg.errors import BadSetting

_MIB = 1024 * 1024
_MOST: Final = {"int": 2**53, "float": 1_000_000.0}
"""The most a value may be; clocks and limits of the system overflow far above it."""
_TRUTH: Final = {"1": True, "true": True, "0": False, "false": False}


def _setting(default: Any, sentence: str, *, least: float = 0) -> Any:
    return field(
        default=default, metadata={"sentence": sentence, "least": least, "default": default}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting with its default; `metadata["sentence"]` of a field explains it."""

    workers: int = _setting(2, "Worker processes that evaluate queries at the same time.")
    deadline: float = _setting(30.0, "Seconds a query may take before its worker is ended.")
    worker_memory: int = _setting(
        2048 * _MIB,
        "Bytes of address space a worker may take while it evaluates.",
        least=256 * _MIB,  # a worker that only starts takes more than half of that
    )
    answer_bytes: int = _setting(512 * _MIB, "Bytes an answer may have, uncompressed.")
    answer_rows: int = _setting(2_000_000, "Solutions or triples an answer may have.")
    spool_memory: int = _setting(_MIB, "Bytes of an answer kept in memory; more goes to a file.")
    queue_seconds: float = _setting(5.0, "Seconds a query waits for a free worker before 503.")
    queue_length: int = _setting(64, "Queries that may wait for a worker; more get 503 at once.")
    query_bytes: int = _setting(_MIB // 4, "Bytes a query may have.")
    nesting: int = _setting(128, "Levels that the brackets of a query may nest.")
    body_bytes: int = _setting(2 * _MIB, "Bytes the body of a query, or a form, may have.")
    body_seconds: float = _setting(30.0, "Seconds a request body may take to arrive.")
    send_seconds: float = _setting(30.0, "Seconds a client may read nothing of its answer.")
    client_rate: int = _setting(6000, "Queries of one address that are evaluated in a minute.")
    cache_bytes: int = _setting(128 * _MIB, "Bytes of answers kept to be given again.")
    write_bytes: int = _setting(32 * _MIB, "Bytes a written graph or an update may have.")
    write_seconds: float = _setting(120.0, "Seconds a write may take before it is given up.")
    writer_memory: int = _setting(
        4096 * _MIB, "Bytes of address space a write may take.", least=512 * _MIB
    )
    plain: bool = _setting(
        False,
        "Serve a plain dataset, for conformance tests only: no gate, no owners, no tokens, and a"
        " default graph of its own. It takes a store that is new, or that was made so.",
    )

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None, **flags: Any) -> Settings:
        """Defaults, overridden by `KG_*` of the environment, overridden by flags that are not None.

        Raises BadSetting where a value is not of the setting's type, or not within its range.
        """
        environ = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        for setting in fields(cls):
            flag, variable = flags.get(setting.name), _variable(setting)
            if flag is not None:
                values[setting.name] = _checked(setting, setting.name, str(flag))
            elif variable in environ:
                values[setting.name] = _checked(setting, variable, environ[variable])
        return cls(**values)

    @classmethod
    def described(cls) -> dict[str, str]:
        """What each variable of the environment sets, in a sentence, with its default."""
        return {
            _variable(
                each
            ): f"{each.metadata['sentence']} By default {float(each.metadata['default']):.15g}."
            for each in fields(cls)
        }


def _variable(setting: Field[Any]) -> str:
    return f"KG_{setting.name.upper()}"


def _checked(setting: Field[Any], name: str, text: str) -> float:
    """The value that the text writes; `name` is what the person who gave it calls it."""
    if setting.type == "bool":
        if text.lower() not in _TRUTH:
            raise BadSetting(name, text, "1 or 0")
        return _TRUTH[text.lower()]
    least, most = setting.metadata["least"], _MOST[str(setting.type)]
    try:
        value = int(text) if setting.type == "int" else float(text)
    except ValueError:
        value = 0
    if value > 0 and least <= value <= most:  # and so neither infinite nor NaN
        return value
    wanted = "a whole number" if setting.type == "int" else "a number"
    start = f"from {least}" if least else "above zero"
    raise BadSetting(name, text, f"{wanted} {start}, and at most {most:.15g}")
