"""A reverse proxy on this machine, as nginx is one: it takes a prefix, and tells of its client."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_OWN = ("connection", "transfer-encoding", "date", "server")


@contextmanager
def reverse_proxy(
    port: int, *, strips: str = "", fields: Mapping[str, str] | None = None
) -> Iterator[int]:
    """Its port. It takes `strips` off each path, adds to X-Forwarded-For, and sets `fields`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            sent = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            before = self.headers.get_all("X-Forwarded-For", [])
            sent |= {"X-Forwarded-For": ", ".join([*before, self.client_address[0]])}
            sent |= {"Host": f"127.0.0.1:{port}"} | dict(fields or {})
            path = self.path.removeprefix(strips) or "/"
            server = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            server.request(self.command, path, self.rfile.read(length), sent)
            answer = server.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in _OWN:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            server.close()

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = _pass_on

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as proxy:
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        try:
            yield proxy.server_address[1]
        finally:
            proxy.shutdown()
            thread.join()
