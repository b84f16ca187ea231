"""An HTTP reverse proxy that injects faults into exports, and records them."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from .exchange import Exchange, Reply

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from typing_extensions import Self

    from .faults import Fault

    Schedule: TypeAlias = Callable[["Exchange"], Fault | None]

TRACES_PATH = "/v1/traces"
_HOP_BY_HOP = ("connection", "content-length", "keep-alive", "transfer-encoding")


class Connection:
    """The connection of one exchange, as a fault uses it."""

    def __init__(self, handler: BaseHTTPRequestHandler, proxy: FaultProxy) -> None:
        self._handler = handler
        self._proxy = proxy

    def forward(self, exchange: Exchange) -> Reply:
        """Returns MLflow's reply. Raises OSError if it is not running."""
        reply = self._proxy.forward(exchange)
        exchange.is_stored = reply.status == http.client.OK
        return reply

    def send(self, reply: Reply) -> None:
        self._handler.wfile.write(_head(reply) + reply.body)

    def send_slowly(self, reply: Reply, interval: float) -> None:
        """Sends the head at once, then a byte of the body in each interval."""
        self._handler.wfile.write(_head(reply))
        for index in range(len(reply.body)):
            time.sleep(interval)
            self._handler.wfile.write(reply.body[index : index + 1])

    def send_half(self, reply: Reply) -> None:
        message = _head(reply) + reply.body
        self._handler.wfile.write(message[: len(message) // 2])
        self.reset()

    def reset(self) -> None:
        """Closes the connection so that the client sees a reset."""
        self._handler.close_connection = True
        linger = struct.pack("ii", 1, 0)
        with suppress(OSError):
            self._handler.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, linger
            )
            self._handler.connection.close()

    def wait_for_client_to_close(self) -> None:
        self._handler.close_connection = True
        with suppress(OSError):
            self._handler.connection.recv(1)


def _head(reply: Reply) -> bytes:
    headers = {
        name: value
        for name, value in reply.headers.items()
        if name.lower() not in _HOP_BY_HOP
    } | {"Content-Length": str(len(reply.body))}
    lines = [f"HTTP/1.1 {reply.status} {http.client.responses.get(reply.status, '')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    block_on_close = False

    def handle_error(self, *_: Any) -> None:
        """Says nothing: clients that close connections are the subject."""


class FaultProxy:
    """A context manager: a proxy on a loopback port, which does not change.

    Args:
        backend: MLflow's host and port. Without one, the proxy accepts all spans.
        schedule: the fault of an export, if any; other requests have none.
        keeps_bodies: whether bodies are recorded, which takes memory.
        port: by default a free one.
    """

    def __init__(
        self,
        backend: str | None = None,
        schedule: Schedule = lambda _: None,
        *,
        keeps_bodies: bool = True,
        port: int = 0,
    ) -> None:
        self.exchanges: list[Exchange] = []
        self.schedule = schedule
        self._backend = backend
        self._keeps_bodies = keeps_bodies
        self.port = port
        self._connections: set[socket.socket] = set()
        self._start = time.time()

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def exports(self) -> list[Exchange]:
        return [e for e in list(self.exchanges) if e.path.endswith(TRACES_PATH)]

    @property
    def has_open_exchange(self) -> bool:
        return any(not exchange.end for exchange in self.exports)

    def __enter__(self) -> Self:
        self.resume()
        return self

    def __exit__(self, *_: object) -> None:
        self.pause()

    def restart_clock(self) -> None:
        """Sets the time from which exchanges measure `elapsed`."""
        self._start = time.time()

    def resume(self) -> None:
        self._server = _Server(("127.0.0.1", self.port), self._handler_class())
        self.port = self._server.server_port
        threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        ).start()

    def pause(self) -> None:
        """Refuses connections, as a server that is not running does."""
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def forward(self, exchange: Exchange) -> Reply:
        if self._backend is None:
            # An MLflow client asks for the version, too.
            is_version = exchange.path.endswith("/version")
            return Reply(
                200,
                {"Content-Type": "text/html" if is_version else _PROTOBUF},
                b"3.17.2" if is_version else b"",
            )
        connection = http.client.HTTPConnection(self._backend, timeout=120)
        try:
            headers = exchange.headers | {"host": self._backend}
            connection.request(exchange.method, exchange.path, exchange.body, headers)
            response = connection.getresponse()
            return Reply(response.status, dict(response.getheaders()), response.read())
        except http.client.HTTPException as error:
            raise ConnectionError from error
        finally:
            connection.close()

    def _handler_class(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                proxy._connections.add(self.connection)

            def finish(self) -> None:
                proxy._connections.discard(self.connection)
                with suppress(OSError, ValueError):
                    super().finish()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                now = time.time()
                exchange = Exchange(
                    now, now - proxy._start, self.command, self.path, headers, body
                )
                proxy._handle(exchange, Connection(self, proxy))

            do_GET = do_POST  # noqa: N815  # the method that http.server calls

            def log_message(self, *_: Any) -> None:
                pass

        return Handler

    def _handle(self, exchange: Exchange, connection: Connection) -> None:
        self.exchanges.append(exchange)
        is_export = exchange.path.endswith(TRACES_PATH)
        fault = self.schedule(exchange) if is_export else None
        try:
            if fault:
                exchange.outcome = type(fault).__name__
                fault.inject(exchange, connection)
            else:
                reply = connection.forward(exchange)
                exchange.outcome = str(reply.status)
                connection.send(reply)
        except OSError:
            # MLflow was killed, or the client does not wait any more.
            exchange.outcome = exchange.outcome or "Reset"
            connection.reset()
        finally:
            exchange.end = time.time()
            if not self._keeps_bodies:
                exchange.body = b""


_PROTOBUF = "application/x-protobuf"
