"""The engine as the judge of a text, and texts that are edited so that readers may differ."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from hypothesis import strategies as st
from pyoxigraph import QueryBoolean, Store

Edits = list[tuple[int, int, str]]


class Listener:
    """A server of this machine that counts who calls, and answers 500."""

    def __init__(self) -> None:
        self.calls = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._store = Store()
        self._store.update(
            "INSERT DATA{<a:s> <a:p> 1, 1.0; <a:q> true; <http://e:> true;"
            f"<a:r> <http://e:>, <{self.url}/a.b>, <{self.url}/>}}"
        )
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            self.calls += 1
            with connection:
                connection.recv(65536)
                connection.sendall(
                    b"HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )

    def is_called_by(self, query: str) -> bool:
        """Whether the engine calls on this query, or would but for a target that is unbound."""
        before, problem, result = self.calls, "", None
        try:
            result = self._store.query(query)
            if not isinstance(result, QueryBoolean):
                list(result)
        except (SyntaxError, ValueError, RuntimeError, OSError) as error:
            problem = str(error)
        finally:
            del result  # in this thread: the engine refuses that another one drops it
        return self.calls > before or "service name is unbound" in problem

    def is_called_by_update(self, update: str) -> bool:
        """Whether the engine calls when it runs this update on an empty store."""
        before = self.calls
        with suppress(SyntaxError, ValueError, RuntimeError, OSError):
            Store().update(update)
        return self.calls > before


FRAGMENTS = [
    *"{}()[].;,<>'\"#\n?a=!+-*/|^~ ",
    *("'''", '"""', "#>", "#'''\n", "\\q", "\\uD800", "\\u0022", "\\'", "\\#", "<<", ">>", "<<("),
    *("{|", "|}", "&&", "||", "^^", "@en--ltr", "1", "1.", "true", "()", "[]", "_:b.c", "?x", "$y"),
    *("ex:", "ex:a.b", "odd:", "odd:SERVICE", ":x", "<urn:a#b>", "<URL/x>", "<o'n>", "?s ?p ?o"),
    *("SERVICE", "silent", "SERVICE<URL/x>{}", "SERVICE ?x{}", "OPTIONAL", "UNION", "FILTER("),
    *("VALUES ?v{", "BIND(", "AS", "SELECT*", "EXISTS", "GRAPH", "LATERAL", "?a<?b", "'a'"),
    *("# SERVICE<URL/x>{}\n", "trueSERVICE:", "\ufff0", ")>>", "%41", "a"),
]
EDITS = st.lists(
    st.tuples(st.integers(0, 120), st.integers(0, 2), st.sampled_from(FRAGMENTS)), max_size=4
)


def edited(text: str, edits: Edits) -> str:
    """The text with some places replaced, each as (start, removed, put there)."""
    for start, removed, fragment in edits:
        text = text[:start] + fragment + text[start + removed :]
    return text
