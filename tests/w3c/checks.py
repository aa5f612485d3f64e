"""What passing means, for each class of test that the query and update suites have."""

from __future__ import annotations

from kg_server import Reply, Server
from w3c.endpoint import UPDATE, answer_of, asked, held, insertion, statements, text_of, tried
from w3c.known_failures import NOT_EVALUATED
from w3c.manifests import W3cTest
from w3c.results import expected_result, same, same_dataset


def check_syntax(server: Server, test: W3cTest) -> None:
    """A text that is wrong is refused as syntax; any other is answered, or as the table says."""
    reply = tried(server, test)
    if test.kind.startswith("Negative"):
        assert _outcome(reply) == "query-syntax", reply.body
    else:
        assert _outcome(reply) == NOT_EVALUATED.get(test.name, "answered"), reply.body


def check_query(server: Server, test: W3cTest) -> None:
    """The answer is the expected one."""
    reply = asked(server, test)
    assert _outcome(reply) == "answered", reply.body
    expected = expected_result(test.result)
    actual = answer_of(reply, text_of(test))
    assert same(expected, actual, lax=test.lax), (expected, actual)


def check_update(server: Server, test: W3cTest) -> None:
    """After the update, a server that held the data of the test holds the expected data."""
    if test.data:
        put = server.post(insertion(test.data).encode(), UPDATE)
        assert _outcome(put) == "answered", put.body
    reply = tried(server, test)
    assert _outcome(reply) == "answered", reply.body
    assert same_dataset(statements(test.result_data), held(server)), held(server)


def _outcome(reply: Reply) -> str:
    """`answered`, or the kind of problem."""
    return "answered" if reply.status < 300 else str(reply.problem["type"]).rpartition("/")[2]
