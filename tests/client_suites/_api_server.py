"""An HTTP server with the part of OpenAI's and Anthropic's API that the tests need.

Both generate a test server from a specification that the archives do not contain. This
server has the endpoints that instrumentations cover. All other paths return 404, so
their tests fail at once, with and without a subject.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

from . import _anthropic_api, _openai_api

if TYPE_CHECKING:
    from collections.abc import Iterator

_RESPONSES: Final = {**_openai_api.RESPONSES, **_anthropic_api.RESPONSES}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        request_body = self._read_body()
        if (response := _RESPONSES.get(self.path.partition("?")[0])) is None:
            self._send(404, "application/json", b"{}")
            return
        body, stream = response
        if json.loads(request_body).get("stream"):
            self._send(200, "text/event-stream", stream.encode())
        else:
            self._send(200, "application/json", json.dumps(body).encode())

    def _not_found(self) -> None:
        self._read_body()
        self._send(404, "application/json", b"{}")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._not_found
        raise AttributeError(name)

    def _read_body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def _send(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        # Some tests close a response before they read it.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serve_api() -> Iterator[str]:
    """Runs the server and yields its base URL."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
