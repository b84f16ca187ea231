from __future__ import annotations

import gzip
import threading
import zlib
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, cast

from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status

from examples.otlp_receiver import _decode

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

    from examples.otlp_receiver._decode import LogRecord, Metric, Span

PROTOBUF = "application/x-protobuf"


@dataclass(frozen=True)
class Request:
    """A POST request with lower-case header names and a decompressed body."""

    path: str
    headers: dict[str, str]
    body: bytes


class OtlpReceiver:
    """A context manager that receives OTLP/HTTP requests and stores their content.

    The server stops when the context ends; the received telemetry remains available.
    `port` 0 selects a free port. `on_span` is called with each span when it arrives, in
    the thread that serves the request.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        on_span: Callable[[Span], None] | None = None,
    ) -> None:
        self._address = (host, port)
        self._on_span = on_span
        self._lock = threading.Lock()
        self._requests: list[Request] = []
        self._spans: list[Span] = []
        self._metrics: list[Metric] = []
        self._logs: list[LogRecord] = []

    @property
    def endpoint(self) -> str:
        """The value for OTEL_EXPORTER_OTLP_ENDPOINT; the protocol is http/protobuf."""
        host, port = self._address
        return f"http://{host}:{port}"

    @property
    def requests(self) -> list[Request]:
        with self._lock:
            return list(self._requests)

    @property
    def spans(self) -> list[Span]:
        with self._lock:
            return list(self._spans)

    @property
    def metrics(self) -> list[Metric]:
        with self._lock:
            return list(self._metrics)

    @property
    def logs(self) -> list[LogRecord]:
        with self._lock:
            return list(self._logs)

    def __enter__(self) -> Self:
        self._server = _Server(self._address, self._store)
        self._address = (self._address[0], self._server.server_port)
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="otlp-receiver",
            daemon=True,
        )
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait(self) -> None:
        """Serves until this thread is interrupted."""
        self._thread.join()

    def _store(self, request: Request) -> None:
        spans: list[Span] = []
        match request.path:
            case "/v1/traces":
                spans = list(_decode.decode_spans(request.body))
                with self._lock:
                    self._requests.append(request)
                    self._spans += spans
            case "/v1/metrics":
                metrics = list(_decode.decode_metrics(request.body))
                with self._lock:
                    self._requests.append(request)
                    self._metrics += metrics
            case "/v1/logs":
                log_records = list(_decode.decode_log_records(request.body))
                with self._lock:
                    self._requests.append(request)
                    self._logs += log_records
            case _:
                raise _RequestError(
                    HTTPStatus.NOT_FOUND,
                    f"{request.path} is not supported; supported paths are "
                    "/v1/traces, /v1/metrics and /v1/logs",
                )
        if self._on_span is not None:
            for span in spans:
                self._on_span(span)


class _RequestError(Exception):
    """A request that the receiver rejects with this status and message."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Server(ThreadingHTTPServer):
    def __init__(
        self, address: tuple[str, int], store: Callable[[Request], None]
    ) -> None:
        super().__init__(address, _Handler)
        self.store = store


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        try:
            cast("_Server", self.server).store(self._read_request())
        except _RequestError as error:
            self._respond(error.status, Status(message=str(error)))
        except DecodeError as error:
            self._respond(HTTPStatus.BAD_REQUEST, Status(message=str(error)))
        else:
            # An empty Export…ServiceResponse means full success and has no bytes.
            self._respond(HTTPStatus.OK, None)

    def _read_request(self) -> Request:
        headers = {name.lower(): value for name, value in self.headers.items()}
        if headers.get("content-type", "").partition(";")[0].strip() != PROTOBUF:
            raise _RequestError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                f"Content-Type must be {PROTOBUF}; "
                "set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
            )
        if "content-length" not in headers:
            raise _RequestError(
                HTTPStatus.LENGTH_REQUIRED, "Content-Length is required"
            )
        body = self.rfile.read(int(headers["content-length"]))
        try:
            match headers.get("content-encoding", "identity"):
                case "gzip":
                    body = gzip.decompress(body)
                case "deflate":
                    body = zlib.decompress(body)
                case "identity":
                    pass
                case encoding:
                    raise _RequestError(
                        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                        "Content-Encoding must be gzip, deflate or identity; "
                        f"got {encoding}",
                    )
        except (OSError, EOFError, zlib.error) as error:
            raise _RequestError(HTTPStatus.BAD_REQUEST, str(error)) from None
        return Request(self.path, headers, body)

    def _respond(self, status: HTTPStatus, error: Status | None) -> None:
        body = error.SerializeToString() if error is not None else b""
        self.send_response(status)
        self.send_header("Content-Type", PROTOBUF)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # inherited
        """Logs nothing, because the receiver prints a line per span instead."""
