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
    """One POST: where to, which headers (lower-case), the body after decompression."""

    path: str
    headers: dict[str, str]
    body: bytes


class OtlpReceiver:
    """A context manager: inside it `endpoint` answers, after it what arrived is kept.

    `port` 0 takes a free one. `on_span` is called with each span as it arrives, from
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
        """For OTEL_EXPORTER_OTLP_ENDPOINT; the protocol is http/protobuf."""
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
        self._server = _Server(self._address, self._accept)
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
        """Serve until this thread is interrupted."""
        self._thread.join()

    def _accept(self, request: Request) -> None:
        spans: list[Span] = []
        match request.path:
            case "/v1/traces":
                spans = list(_decode.spans(request.body))
                with self._lock:
                    self._requests.append(request)
                    self._spans += spans
            case "/v1/metrics":
                metrics = list(_decode.metrics(request.body))
                with self._lock:
                    self._requests.append(request)
                    self._metrics += metrics
            case "/v1/logs":
                logs = list(_decode.logs(request.body))
                with self._lock:
                    self._requests.append(request)
                    self._logs += logs
            case _:
                raise _Refusal(HTTPStatus.NOT_FOUND, f"no such signal: {request.path}")
        if self._on_span is not None:
            for span in spans:
                self._on_span(span)


class _Refusal(Exception):  # noqa: N818  # an answer rather than an error
    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Server(ThreadingHTTPServer):
    def __init__(
        self, address: tuple[str, int], accept: Callable[[Request], None]
    ) -> None:
        super().__init__(address, _Handler)
        self.accept = accept


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        try:
            cast("_Server", self.server).accept(self._request())
        except _Refusal as refusal:
            self._answer(refusal.status, Status(message=str(refusal)))
        except DecodeError as error:
            self._answer(HTTPStatus.BAD_REQUEST, Status(message=str(error)))
        else:
            # An empty Export…ServiceResponse is "everything taken", and no bytes.
            self._answer(HTTPStatus.OK, None)

    def _request(self) -> Request:
        headers = {name.lower(): value for name, value in self.headers.items()}
        if headers.get("content-type", "").partition(";")[0].strip() != PROTOBUF:
            raise _Refusal(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                f"only {PROTOBUF}: set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
            )
        if "content-length" not in headers:
            raise _Refusal(HTTPStatus.LENGTH_REQUIRED, "no Content-Length")
        body = self.rfile.read(int(headers["content-length"]))
        try:
            match headers.get("content-encoding", "identity"):
                case "gzip":
                    body = gzip.decompress(body)
                case "deflate":
                    body = zlib.decompress(body)
                case "identity":
                    pass
                case other:
                    raise _Refusal(
                        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                        f"Content-Encoding {other}: only gzip, deflate, identity",
                    )
        except (OSError, EOFError, zlib.error) as error:
            raise _Refusal(HTTPStatus.BAD_REQUEST, str(error)) from None
        return Request(self.path, headers, body)

    def _answer(self, status: HTTPStatus, problem: Status | None) -> None:
        body = problem.SerializeToString() if problem is not None else b""
        self.send_response(status)
        self.send_header("Content-Type", PROTOBUF)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name
        """Nothing: a line per request would drown the line per span."""
