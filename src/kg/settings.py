"""The settings of a running `kg`: one table of name, default, type and sentence.

A value comes from the default, the file `kg.toml`, the environment (`KG_<NAME>`) or a flag, the
later the stronger.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from kg.errors import BadSetting, MalformedSettings, Place, UnknownSetting

FILE: Final = "kg.toml"
"""The file of settings in the working folder; KG_CONFIG names another."""

_MIB = 1024 * 1024
_MOST: Final = {"int": 2**53, "float": 1_000_000.0}
"""The most a value may be; clocks and limits of the system overflow far above it."""
_TRUTH: Final = {"1": True, "true": True, "0": False, "false": False}
_HOST: Final = re.compile(r"(?:[A-Za-z0-9-]+\.)*[A-Za-z0-9-]+\.?|\[[0-9A-Fa-f:.]+\]")
_PATH: Final = re.compile(r"(?:/[A-Za-z0-9._~-]+)*/?")

Value = bool | int | float | str


def _public_url(text: str) -> str:
    """The URL with a slash at its end; raises ValueError with what is wanted."""
    if not text:
        return text
    try:
        url = urlsplit(text)
        port = f":{url.port}" if url.port is not None else ""
    except ValueError:
        raise ValueError(_A_URL) from None
    host = url.netloc.removesuffix(port)
    if url.scheme not in ("http", "https") or not _HOST.fullmatch(host) or not text.isascii():
        raise ValueError(_A_URL)
    if text.endswith(("?", "#")) or url.query or url.fragment or not _PATH.fullmatch(url.path):
        raise ValueError(_A_URL)
    return f"{url.scheme}://{url.netloc.lower()}{url.path.rstrip('/')}/"


_A_URL: Final = (
    "an http or https URL with a host and a plain path, without a user, a query or a fragment"
)


def _networks(text: str) -> str:
    """Addresses and networks with commas between; raises ValueError with what is wanted."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    try:
        return ",".join(str(ip_network(part)) for part in parts)
    except ValueError as error:
        raise ValueError(f"addresses or networks with commas between; {error}") from None


def _one_of(*words: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if text.lower() not in words:
            raise ValueError("one of " + ", ".join(words))
        return text.lower()

    return check


_log_format = _one_of("line", "json")
_log_level = _one_of("debug", "info", "warning")


def _setting(
    default: Any,
    sentence: str,
    *,
    least: float | None = None,
    most: float | None = None,
    check: Callable[[str], str] = str,
) -> Any:
    """A setting. A number is above zero, unless `least` says what it may be at least."""
    about = {"sentence": sentence, "default": default}
    return field(default=default, metadata=about | {"least": least, "most": most, "check": check})


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
    check_processes: int = _setting(
        2, "Processes in which a build checks articles, where there are more than a handful."
    )
    fast: bool = _setting(
        False,
        "Let the engine of the extra `fast` accept what it finds to conform; pyshacl decides on"
        " everything else.",
    )
    fast_sample: float = _setting(
        0.01, "Part of what the fast engine accepts that pyshacl checks as well, from 0 to 1."
    )
    plain: bool = _setting(
        False,
        "Serve a plain dataset, for conformance tests only: no gate, no owners, no tokens, and a"
        " default graph of its own. It takes a store that is new, or that was made so.",
    )

    keep_releases: int = _setting(0, "Newest releases that are kept; 0 keeps all.", least=0)
    keep_days: float = _setting(
        0.0,
        "Days a release is kept; 0 keeps all. With both set, what either keeps is kept.",
        least=0,
    )
    citations: int = _setting(100_000, "Citations the store keeps; then no more are taken.")
    citation_rate: int = _setting(20, "Citations an address may ask for in a minute, new or known.")
    open_citations: bool = _setting(
        True, "Whether anybody may store a citation; else a token with the scope write is needed."
    )
    open_metrics: bool = _setting(
        True, "Whether anybody may read /metrics; else a token with the scope admin is needed."
    )
    texts: str = _setting(
        "",
        "A folder with texts of articles. A reader whose token has the scope restricted sees an"
        " article's words where a file's SHA-256 is that of its text.",
    )
    host: str = _setting("127.0.0.1", "The address to listen on.")
    port: int = _setting(8080, "The port to listen on; 0 takes a free one.", least=0, most=65535)
    public_url: str = _setting(
        "",
        "The address that clients know the server by, such as https://data.example.org/kg/; its"
        " path is taken off requests.",
        check=_public_url,
    )
    trusted_proxies: str = _setting(
        "",
        "Addresses or networks of reverse proxies whose forwarded fields are believed, with commas"
        " between.",
        check=_networks,
    )
    log_format: str = _setting(
        "line", "How the log is written: line, or json for one object a line.", check=_log_format
    )
    log_level: str = _setting(
        "info",
        "What the log tells: debug (queries, too), info (requests), or warning.",
        check=_log_level,
    )

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None, **flags: Any) -> Settings:
        """Defaults, overridden by `kg.toml`, by `KG_*`, and by flags that are not None.

        Raises BadSetting where a value is not of the setting's type, or not within its range,
        and UnknownSetting or MalformedSettings for a file that is wrong.
        """
        values: dict[str, Any] = {each.name: each.value() for each in given(environ, **flags)}
        return cls(**values)

    @classmethod
    def described(cls) -> dict[str, str]:
        """What each variable of the environment sets, in a sentence, with its default."""
        return {
            _variable(each): f"{each.metadata['sentence']} By default {_default(each)}."
            for each in fields(cls)
        }


@dataclass(frozen=True, slots=True)
class Given:
    """One setting as somebody gave it: `origin` is default, FILE:LINE, a variable, or flag."""

    setting: Field[Any]
    origin: str
    text: str | None = None
    place: Place | None = None

    @property
    def name(self) -> str:
        """The name of the setting."""
        return self.setting.name

    def value(self) -> Value:
        """The value that the text writes; raises BadSetting."""
        if self.text is None:
            default: Value = self.setting.metadata["default"]
            return default
        called = self.origin if self.origin.startswith("KG_") else self.name
        return _checked(self.setting, called, self.text, self.place)


def given(environ: Mapping[str, str] | None = None, **flags: Any) -> list[Given]:
    """Every setting with where its value comes from; the value itself is not looked at yet.

    Raises BadSetting, UnknownSetting and MalformedSettings for a file that is wrong.
    """
    environ = os.environ if environ is None else environ
    file = _file(environ)
    written = _written(file) if file else {}
    return [_given(setting, environ, flags, written) for setting in fields(Settings)]


def _given(
    setting: Field[Any],
    environ: Mapping[str, str],
    flags: Mapping[str, Any],
    written: Mapping[str, tuple[str, Place]],
) -> Given:
    flag, variable = flags.get(setting.name), _variable(setting)
    if flag is not None:
        return Given(setting, "flag", str(flag))
    if variable in environ:
        return Given(setting, variable, environ[variable])
    if setting.name in written:
        text, place = written[setting.name]
        return Given(setting, str(place), text, place)
    return Given(setting, "default")


def _file(environ: Mapping[str, str]) -> Path | None:
    """The file of settings, where there is one."""
    if named := environ.get("KG_CONFIG"):
        if not Path(named).is_file():
            raise BadSetting("KG_CONFIG", named, "the name of a file that is there")
        return Path(named)
    return Path(FILE) if Path(FILE).is_file() else None


def _written(file: Path) -> dict[str, tuple[str, Place]]:
    """What the file gives: for each setting its text, and where that stands."""
    try:
        text = file.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise MalformedSettings(Place(file), "it is not UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"line (\d+), column (\d+)", str(error))
        place = Place(file, int(at[1]), int(at[2])) if at else Place(file)
        raise MalformedSettings(place, str(error).partition(" (at")[0]) from error
    kinds = {each.name: str(each.type) for each in fields(Settings)}
    found = {}
    for key, value in values.items():
        place = Place(file, _line_of(key, text), key=key)
        if key not in kinds:
            raise UnknownSetting(place, key, kinds)
        found[key] = (_text_of(value, kinds[key]), place)
    return found


def _text_of(value: object, kind: str) -> str:
    """A value of TOML as the environment would write it."""
    if isinstance(value, list) and kind == "str":
        return ",".join(map(str, value))
    return str(value)


def _line_of(key: str, text: str) -> int | None:
    """The line on which the key stands; tomllib does not tell."""
    begun = re.compile(rf"\s*\[?\s*[\"']?{re.escape(key)}[\"']?\s*[].=]")
    lines = enumerate(text.splitlines(), start=1)
    return next((number for number, line in lines if begun.match(line)), None)


def _variable(setting: Field[Any]) -> str:
    return f"KG_{setting.name.upper()}"


def _default(setting: Field[Any]) -> str:
    default = setting.metadata["default"]
    return default or "empty" if isinstance(default, str) else f"{float(default):.15g}"


def _checked(setting: Field[Any], name: str, text: str, place: Place | None) -> Value:
    """The value that the text writes; `name` is what the person who gave it calls it."""
    about = setting.metadata
    if setting.type == "bool":
        if text.lower() not in _TRUTH:
            raise BadSetting(name, text, "1 or 0", place)
        return _TRUTH[text.lower()]
    if setting.type == "str":
        try:
            return str(about["check"](text))
        except ValueError as error:
            raise BadSetting(name, text, str(error), place) from None
    least, most = about["least"], about["most"] or _MOST[str(setting.type)]
    try:
        value = int(text) if setting.type == "int" else float(text)
    except ValueError:
        value = -1
    if (value >= least if least is not None else value > 0) and value <= most:
        return value  # and so neither infinite nor NaN
    wanted = "a whole number" if setting.type == "int" else "a number"
    start = "above zero" if least is None else f"from {least}"
    raise BadSetting(name, text, f"{wanted} {start}, and at most {most:.15g}", place)
