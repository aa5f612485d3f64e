"""The absolute address of this server, as its clients know it."""

from __future__ import annotations

from flask import Request

from kg.errors import BadArgument
from kg.store.iris import absolute_iri


def base_url(request: Request) -> str:
    """The URL of the server's root, with a slash at its end.

    It is the setting public_url where that is set; else it has the scheme and the host that the
    request came with, or that a trusted proxy tells: the front has put both into the request.
    Raises BadArgument for a Host of none.
    """
    if not (request.host and absolute_iri(request.root_url)):
        raise BadArgument("the field Host names no host", remedy="Send the name of this one.")
    return request.root_url
