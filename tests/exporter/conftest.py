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
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
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
    """Finished spans, as an exporter gets them."""

    tracer: Tracer
    _finished: InMemorySpanExporter

    def take(self) -> list[ReadableSpan]:
        """In the order in which they ended."""
        spans = list(self._finished.get_finished_spans())
        self._finished.clear()
        return spans

    def made(self, name: str = "a", attributes: Any = None) -> ReadableSpan:
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
            for of_resource in self.message.resource_spans
            for of_scope in of_resource.scope_spans
            for span in of_scope.spans
        ]

    @property
    def span_names(self) -> list[str]:
        return [span.name for span in self.spans]

    def texts_of(self, name: str) -> dict[str, str]:
        """Attributes of the span of that name, which has only texts."""
        (span,) = [span for span in self.spans if span.name == name]
        return {one.key: one.value.string_value for one in span.attributes}


@dataclass
class Answer:
    status: int = 200
    body: bytes = ExportTraceServiceResponse().SerializeToString()
    headers: dict[str, str] = field(
        default_factory=lambda: {"Content-Type": "application/x-protobuf"}
    )


def mlflow_error(status: int, code: str) -> Answer:
    body = json.dumps({"error_code": code, "message": "a secret, perhaps"}).encode()
    return Answer(status, body, {"Content-Type": "application/json"})


@dataclass
class Wire:
    """A real HTTP server that keeps what it is sent; `answers` says what it answers."""

    requests: list[Request] = field(default_factory=list[Request])
    answers: Callable[[Request], Answer] = lambda _: Answer()
    uri: str = ""


@pytest.fixture
def wire() -> Iterator[Wire]:
    with serving() as served:
        yield served


@pytest.fixture
def exporter(wire: Wire) -> Iterator[MlflowSpanExporter]:
    made = MlflowSpanExporter(tracking_uri=wire.uri)
    yield made
    made.shutdown()


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[Wire]:  # noqa: F811  # an argument
    wire = Wire()

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
            wire.requests.append(request)
            answer = wire.answers(request)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST  # noqa: N815  # the name http.server calls

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        # A client that breaks off is what some tests are about.
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        wire.uri = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
        thread = threading.Thread(
            target=server.serve_forever, args=(0.01,), daemon=True
        )
        thread.start()
        yield wire
        server.shutdown()
        thread.join()
