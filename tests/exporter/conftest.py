from __future__ import annotations

import gzip
import json
import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from examples.quickstart.mlflow_server import MlflowServer
from opentelemetry.exporter.mlflow import MlflowSpanExporter

from .tls import certificate, tls  # noqa: F401  # fixtures

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    from opentelemetry.proto.trace.v1.trace_pb2 import Span
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Tracer


@pytest.fixture(autouse=True)
def no_environment_variables(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    for name in list(os.environ):
        if name.startswith(("MLFLOW_", "OTEL_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def mlflow_server() -> Iterator[str]:
    with MlflowServer() as server:
        yield server.uri


@dataclass
class Spans:
    """Makes finished spans, as an exporter receives them."""

    tracer: Tracer
    _finished: InMemorySpanExporter

    def take(self) -> list[ReadableSpan]:
        """Returns and removes the finished spans, in the order of their end."""
        spans = list(self._finished.get_finished_spans())
        self._finished.clear()
        return spans

    def make(self, name: str = "a", attributes: Any = None) -> ReadableSpan:
        with self.tracer.start_as_current_span(name, attributes=attributes):
            pass
        return self.take()[-1]


@pytest.fixture
def spans() -> Iterator[Spans]:
    finished = InMemorySpanExporter()
    resource = Resource({"service.name": "shop"})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(finished))
    yield Spans(provider.get_tracer("test"), finished)
    provider.shutdown()


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def message(self) -> ExportTraceServiceRequest:
        body = self.body
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        return ExportTraceServiceRequest.FromString(body)

    @property
    def spans(self) -> list[Span]:
        return [
            span
            for resource_spans in self.message.resource_spans
            for scope_spans in resource_spans.scope_spans
            for span in scope_spans.spans
        ]

    @property
    def span_names(self) -> list[str]:
        return [span.name for span in self.spans]

    def string_attributes(self, span_name: str) -> dict[str, str]:
        """The attributes of the span with that name. All of them are strings."""
        (span,) = [span for span in self.spans if span.name == span_name]
        return {
            attribute.key: attribute.value.string_value for attribute in span.attributes
        }


@dataclass
class Response:
    status: int = 200
    body: bytes = ExportTraceServiceResponse().SerializeToString()
    headers: dict[str, str] = field(
        default_factory=lambda: {"Content-Type": "application/x-protobuf"}
    )


def error_response(status: int, error_code: str) -> Response:
    body = json.dumps(
        {"error_code": error_code, "message": "a secret, perhaps"}
    ).encode()
    return Response(status, body, {"Content-Type": "application/json"})


@dataclass
class FakeServer:
    """An HTTP server that stores its requests, and responds with `respond`.

    It does not store requests for the version of MLflow. It responds to them with
    `version`.
    """

    requests: list[Request] = field(default_factory=list[Request])
    respond: Callable[[Request], Response] = lambda _: Response()
    uri: str = ""
    version: str | Callable[[], Response] = "3.17.2"

    def respond_version(self) -> Response:
        if callable(self.version):
            return self.version()
        headers = {"Content-Type": "text/html; charset=utf-8"}
        return Response(body=self.version.encode(), headers=headers)


@pytest.fixture
def fake_server() -> Iterator[FakeServer]:
    with run_fake_server() as server:
        yield server


@pytest.fixture
def exporter(fake_server: FakeServer) -> Iterator[MlflowSpanExporter]:
    exporter = MlflowSpanExporter(tracking_uri=fake_server.uri)
    yield exporter
    exporter.shutdown()


@contextmanager
def run_fake_server(tls: ssl.SSLContext | None = None) -> Iterator[FakeServer]:  # noqa: F811  # an argument
    fake_server = FakeServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            request = Request(
                self.command,
                self.path,
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(length),
            )
            if request.path.partition("?")[0].endswith("/version"):
                response = fake_server.respond_version()
            else:
                fake_server.requests.append(request)
                response = fake_server.respond(request)
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

        do_GET = do_PATCH = do_PUT = do_POST  # noqa: N815  # what http.server calls

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        # In some tests the client closes the connection early.
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        fake_server.uri = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
        thread = threading.Thread(
            target=server.serve_forever, args=(0.01,), daemon=True
        )
        thread.start()
        yield fake_server
        server.shutdown()
        thread.join()
