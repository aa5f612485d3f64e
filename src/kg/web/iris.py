"""The check that a text from outside is an absolute IRI."""

import re

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|^`\\]*")


def absolute_iri(text: str) -> bool:
    """Whether the text has a scheme and, between `<` and `>`, is one IRIREF token and no more.

    IRIREF is terminal 139 of the SPARQL 1.1 grammar (section 19.8): what passes cannot break out
    of a query that it is written into.
    """
    return _ABSOLUTE.fullmatch(text) is not None
