"""An answer as an HTTP response."""

from werkzeug.wrappers import Response

from kg.query.run import Answer


def respond(answer: Answer) -> Response:
    """The complete answer with its length, so that one cut on the way is visibly short."""
    response = Response(answer.spool.chunks(), content_type=answer.format.content_type)
    response.call_on_close(answer.spool.close)
    response.content_length = answer.spool.size
    response.headers["KG-Release"] = answer.release.name
    response.vary.add("Accept")
    return response
