"""A citation as others write it down: text, BibTeX, CSL JSON, CFF, and the record itself.

`url` is the permalink; empty where no address of the server is known.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from typing import Any, Final
from unicodedata import category

from ruamel.yaml import YAML

from kg.media import BIBTEX, CFF, CSL, RECORD, TEXT, Format
from kg.query.citing import counted
from kg.store.base import Release
from kg.store.catalog import Catalog
from kg.store.citations import Citation

_MESSAGE: Final = "If you use this result, please cite it with these metadata."
_DAY: Final = len("2026-01-02")


def written(citation: Citation, format: Format, url: str) -> str:
    """The citation in one of CITATION_FORMATS, ended by a line feed."""
    return {TEXT: text, BIBTEX: bibtex, CSL: csl, CFF: cff, RECORD: record}[format](citation, url)


def record(citation: Citation, url: str) -> str:
    """All that is known of it, as JSON; `kg verify` takes it as a file."""
    members = citation.members() | ({"url": url} if url else {})
    return json.dumps(members, ensure_ascii=False, indent=1) + "\n"


def text(citation: Citation, url: str) -> str:
    """One paragraph: creators (year). Title. Version. Publisher. Address. What it is known by."""
    made = citation.release_time[:_DAY]
    names = _authors(citation)
    publisher = citation.dataset.publisher
    parts = [
        f"{', '.join(names)} ({made[:4]})." if names else "",
        f"{_title(citation)}{'' if names else f' ({made[:4]})'} [Data set].",
        f"Release {citation.release}, {made}.",
        "" if not publisher or (publisher,) == names else f"{publisher}.",
        f"{url}." if url else f"Citation {citation.id}.",
        f"Result of a {citation.form} query: {counted(citation.rows, citation.form)},"
        f" SHA-256 {citation.digest}.",
        f"Accessed {citation.cited[:_DAY]}.",
        *citation.notes,
    ]
    return _on_one_line(" ".join(part for part in parts if part)) + "\n"


def release_text(release: Release, dataset: Catalog, url: str) -> str:
    """The same for a whole release, which is known by its digest."""
    made = release.time[:_DAY]
    names = tuple(filter(None, map(_on_one_line, dataset.creators or (dataset.publisher,))))
    publisher = _on_one_line(dataset.publisher)
    parts = [
        f"{', '.join(names)} ({made[:4]})." if names else "",
        f"{_on_one_line(dataset.title)}{'' if names else f' ({made[:4]})'} [Data set].",
        f"Release {release.name}, {made}.",
        "" if not publisher or (publisher,) == names else f"{publisher}.",
        f"{url}." if url else "",
        f"SHA-256 {release.digest}.",
    ]
    return " ".join(part for part in parts if part)


# --- BibTeX -------------------------------------------------------------------------------

_LATEX: Final = {
    "\\": r"\textbackslash{}",
    # Not with a backslash alone: BibTeX counts braces, whatever stands before them.
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: f"\\{character}" for character in "#$%&_"},
}
_SPECIAL: Final = re.compile("[" + re.escape("".join(_LATEX)) + "]")


def bibtex(citation: Citation, url: str) -> str:
    """An entry of the type @misc, which every style has; UTF-8."""
    year, month, _ = citation.release_time[:_DAY].split("-")
    fields = {
        "author": " and ".join(f"{{{_latex(name)}}}" for name in _authors(citation)),
        "title": f"{{{_latex(_title(citation))}}}",
        "year": year,
        "month": str(int(month)),
        "version": _latex(f"release {citation.release}"),
        "publisher": _latex(citation.dataset.publisher),
        "howpublished": "Data set",
        "url": url,
        "urldate": citation.cited[:_DAY],
        "note": _latex(_note(citation)),
    }
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
    return f"@misc{{kg-{citation.id},\n{lines}}}\n"


def _latex(value: str) -> str:
    """The value on one line, as LaTeX writes it."""
    return _SPECIAL.sub(lambda met: _LATEX[met[0]], _on_one_line(value))


# --- CSL JSON -----------------------------------------------------------------------------


def csl(citation: Citation, url: str) -> str:
    """An array with one item of the type dataset (CSL 1.0.2, input data)."""
    item = {
        "id": f"kg-{citation.id}",
        "type": "dataset",
        "title": _title(citation),
        "author": [{"literal": name} for name in _authors(citation)],
        "issued": _csl_date(citation.release_time),
        "accessed": _csl_date(citation.cited),
        "version": f"release {citation.release}",
        "publisher": citation.dataset.publisher,
        "URL": url,
        "note": _note(citation),
    }
    kept = {name: value for name, value in item.items() if value}
    return json.dumps([kept], ensure_ascii=False, indent=1) + "\n"


def _csl_date(time: str) -> Mapping[str, Any]:
    return {"date-parts": [[int(part) for part in time[:_DAY].split("-")]]}


# --- CFF ----------------------------------------------------------------------------------


def cff(citation: Citation, url: str) -> str:
    """A Citation File Format document, version 1.2.0."""
    dataset = citation.dataset
    names = _authors(citation) or (_title(citation),)  # it must have one
    document = {
        "cff-version": "1.2.0",
        "message": _MESSAGE,
        "type": "dataset",
        "title": _title(citation),
        "authors": [{"name": name} for name in names],
        "version": citation.release,
        "date-released": citation.release_time[:_DAY],
        "url": url,
        "license-url": dataset.licence if _is_web(dataset.licence) else "",
        "repository": dataset.homepage if _is_web(dataset.homepage) else "",
        "abstract": _note(citation),
        "identifiers": [
            {
                "type": "other",
                "value": f"sha256:{citation.digest}",
                "description": "The digest of the result",
            }
        ],
    }
    output, yaml = io.StringIO(), YAML()
    yaml.dump({name: value for name, value in document.items() if value}, output)
    return output.getvalue()


def _is_web(iri: str) -> bool:
    return iri.startswith(("https://", "http://"))


# --- what all of them say -----------------------------------------------------------------


def _authors(citation: Citation) -> tuple[str, ...]:
    """The creators, else the publisher, each on one line."""
    dataset = citation.dataset
    names = dataset.creators or (dataset.publisher,)
    return tuple(filter(None, map(_on_one_line, names)))


def _title(citation: Citation) -> str:
    """That of the dataset and, where it has one, that of the citation."""
    titles = (citation.dataset.title, citation.title)
    return ": ".join(filter(None, map(_on_one_line, titles))) or Catalog().title


def _note(citation: Citation) -> str:
    """What the result is known by, and what is open about it."""
    size = counted(citation.rows, citation.form)
    first = f"Result of a {citation.form} query on release {citation.release}: {size}, SHA-256"
    return " ".join((f"{first} {citation.digest}.", *citation.notes))


def _on_one_line(value: str) -> str:
    """Without control characters and halves of characters; white space is one space."""
    kept = (c if category(c) not in ("Cc", "Cs") else " " for c in value)
    return " ".join("".join(kept).split())
