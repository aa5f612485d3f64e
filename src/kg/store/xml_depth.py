"""How deep the elements of an RDF/XML document nest, looked at before the engine reads it.

The engine's time grows with the square of the depth: minutes for 100,000 levels.
"""

from __future__ import annotations

from typing import Any, Final
from xml.parsers import expat

from kg.errors import MalformedData
from kg.media import RDF_XML

_DEEPEST: Final = 1000


def check_depth(document: bytes) -> None:
    """Raise MalformedData, with line and column, where elements nest deeper than they may.

    So it does for what is no XML, which the engine might take all the same, at any depth.
    """
    try:
        _Depth(expat.ParserCreate()).read(document)
    except expat.ExpatError as error:
        problem = expat.ErrorString(error.code)
        raise MalformedData(RDF_XML.name, problem, error.lineno, error.offset + 1) from error
    except (LookupError, ValueError) as error:  # another encoding than expat can be told of
        raise MalformedData(RDF_XML.name, f"it is not UTF-8: {error}") from error


class _Depth:
    def __init__(self, parser: expat.XMLParserType) -> None:
        self._parser = parser
        self._depth = 0
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end

    def read(self, document: bytes) -> None:
        self._parser.Parse(document, True)

    def _start(self, _name: str, _attributes: dict[str, Any]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise MalformedData(
                RDF_XML.name,
                f"elements nest deeper than {_DEEPEST} levels",
                self._parser.CurrentLineNumber,
                self._parser.CurrentColumnNumber + 1,
            )

    def _end(self, _name: str) -> None:
        self._depth -= 1
