"""HTTP/1.1 on a socket: reads requests, writes responses, survives its clients."""

from __future__ import annotations

import contextlib
import secrets
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, TypeAlias

from ._exchange import Exchange
from ._http_response import DroppedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._http_response import Response

# On every answer; no x-request-id, no retry-after, no x-ratelimit-* ever.
_HEADERS = {
    "vary": "origin, access-control-request-method, access-control-request-headers",
    "access-control-allow-credentials": "true",
    "strict-transport-security": "max-age=31536000; includeSubDomains; preload",
    "x-content-type-options": "nosniff",
    "x-cache": "Miss from cloudfront",
    "via": "1.1 0123456789abcdef0123456789abcdef.cloudfront.net (CloudFront)",
    "x-amz-cf-pop": "IAD89-P1",
    "x-amz-cf-id": "composed==",
}
Respond: TypeAlias = "Callable[[Exchange], Response]"
Done: TypeAlias = "Callable[[Exchange], None]"


class Server(ThreadingHTTPServer):
    """A thread for each connection; closing ends them all."""

    request_queue_size = 1024

    def __init__(
        self, address: tuple[str, int], respond: Respond, begun: Done, ended: Done
    ) -> None:
        self.respond, self.begun, self.ended = respond, begun, ended
        self._open: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(
            target=self.process_request_thread,
            args=(request, client_address),
            daemon=True,
        )
        with self._lock:
            self._open[request] = thread
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                del self._open[request]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is not worth a word; a mistake of ours is."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def server_close(self) -> None:
        """Close the listening socket and all connections; wait for their threads."""
        super().server_close()
        with self._lock:
            connections = dict(self._open)
        for connection, thread in connections.items():
            _shut(connection)
            thread.join(timeout=5)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # gone already
        connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]  # it is one
    protocol_version = default_request_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # each event leaves at once

    def _handle(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            body = self._body(headers)
        except ValueError:  # a length that is none
            self.close_connection = True
            self.send_error(400)
            return
        exchange = Exchange(self.command, self.path, headers, body)
        exchange.trace_id = secrets.token_hex(16)
        self.server.begun(exchange)
        try:
            self._send(self.server.respond(exchange), exchange)
        except DroppedError:
            self.close_connection = True
        finally:
            self.server.ended(exchange)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815  # theirs
    do_HEAD = do_OPTIONS = _handle  # noqa: N815  # theirs

    def _body(self, headers: dict[str, str]) -> bytes:
        if "chunked" not in headers.get("transfer-encoding", ""):
            length = int(headers.get("content-length", "0"))
            if length < 0:  # `read` would wait for the end
                raise ValueError(length)
            return self.rfile.read(length)
        body = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass
        return body

    def _send(self, response: Response, exchange: Exchange) -> None:
        exchange.status = response.status
        self.send_response(response.status)
        if response.content_type:
            self.send_header("content-type", response.content_type)
        if response.length is None:
            self.send_header("transfer-encoding", "chunked")
        else:
            self.send_header("content-length", str(response.length))
        if (response.content_type or "").startswith("text/event-stream"):
            self.send_header("cache-control", "no-cache")
        own = {"x-ds-trace-id": exchange.trace_id, **response.headers}
        for name, value in (_HEADERS | own).items():
            self.send_header(name, value)
        if response.length is None:
            self.end_headers()
            self._send_chunks(response, exchange)
            return
        exchange.answer = b"".join(response.parts)
        exchange.finished = True
        self.end_headers()
        self.wfile.write(exchange.answer)

    def _send_chunks(self, response: Response, exchange: Exchange) -> None:
        for part in response.parts:
            exchange.answer += part
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def version_string(self) -> str:
        return "elb"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name
        """Silence: --verbose has a line of its own."""
