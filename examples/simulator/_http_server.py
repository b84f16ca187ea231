"""The HTTP/1.1 server: reads requests and writes responses on sockets."""

from __future__ import annotations

import contextlib
import secrets
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, TypeAlias

from ._exchange import Exchange
from ._http_response import ConnectionDropError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._http_response import HttpResponse

# Headers of every response. DeepSeek never sends x-request-id, retry-after or
# x-ratelimit-*.
_COMMON_HEADERS = {
    "vary": "origin, access-control-request-method, access-control-request-headers",
    "access-control-allow-credentials": "true",
    "strict-transport-security": "max-age=31536000; includeSubDomains; preload",
    "x-content-type-options": "nosniff",
    "x-cache": "Miss from cloudfront",
    "via": "1.1 0123456789abcdef0123456789abcdef.cloudfront.net (CloudFront)",
    "x-amz-cf-pop": "IAD89-P1",
    "x-amz-cf-id": "composed==",
}
Responder: TypeAlias = "Callable[[Exchange], HttpResponse]"
ExchangeCallback: TypeAlias = "Callable[[Exchange], None]"


class HttpServer(ThreadingHTTPServer):
    """A server with a thread for each connection; closing it ends all of them."""

    request_queue_size = 1024

    def __init__(
        self,
        address: tuple[str, int],
        respond: Responder,
        on_exchange_start: ExchangeCallback,
        on_exchange_end: ExchangeCallback,
    ) -> None:
        self.respond = respond
        self.on_exchange_start = on_exchange_start
        self.on_exchange_end = on_exchange_end
        self._connection_threads: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        super().__init__(address, _RequestHandler)

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(
            target=self.process_request_thread,
            args=(request, client_address),
            daemon=True,
        )
        with self._lock:
            self._connection_threads[request] = thread
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                del self._connection_threads[request]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Prints errors of the simulator, but not clients that disconnect."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def server_close(self) -> None:
        """Closes the listening socket and all connections; waits for their threads."""
        super().server_close()
        with self._lock:
            threads = dict(self._connection_threads)
        for connection, thread in threads.items():
            _shut_down(connection)
            thread.join(timeout=5)


def _shut_down(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # already closed
        connection.shutdown(socket.SHUT_RDWR)


class _RequestHandler(BaseHTTPRequestHandler):
    # The base class declares a BaseServer.
    server: HttpServer  # pyright: ignore[reportIncompatibleVariableOverride]
    protocol_version = default_request_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # sends each event immediately

    def _handle(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            body = self._read_body(headers)
        except ValueError:  # an invalid length
            self.close_connection = True
            self.send_error(400)
            return
        exchange = Exchange(self.command, self.path, headers, body)
        exchange.trace_id = secrets.token_hex(16)
        self.server.on_exchange_start(exchange)
        try:
            self._send(self.server.respond(exchange), exchange)
        except ConnectionDropError:
            self.close_connection = True
        finally:
            self.server.on_exchange_end(exchange)

    # The base class prescribes these names.
    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815
    do_HEAD = do_OPTIONS = _handle  # noqa: N815

    def _read_body(self, headers: dict[str, str]) -> bytes:
        if "chunked" not in headers.get("transfer-encoding", ""):
            length = int(headers.get("content-length", "0"))
            if length < 0:  # `read` would wait for the end of the connection
                raise ValueError(length)
            return self.rfile.read(length)
        body = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass
        return body

    def _send(self, response: HttpResponse, exchange: Exchange) -> None:
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
        trace_id = {"x-ds-trace-id": exchange.trace_id}
        for name, value in (_COMMON_HEADERS | trace_id | response.headers).items():
            self.send_header(name, value)
        if response.length is None:
            self.end_headers()
            self._send_chunks(response, exchange)
            return
        exchange.response_body = b"".join(response.parts)
        exchange.is_complete = True
        self.end_headers()
        self.wfile.write(exchange.response_body)

    def _send_chunks(self, response: HttpResponse, exchange: Exchange) -> None:
        for part in response.parts:
            exchange.response_body += part
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def version_string(self) -> str:
        return "elb"

    # The base class names the parameter `format`.
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Logs nothing: `--verbose` prints a line for each exchange instead."""
