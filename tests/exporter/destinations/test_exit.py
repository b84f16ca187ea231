"""Programs that end while the server does not respond."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.instrumentation.exit_flush._exit_deadline import exit_deadline
from tests.exporter.conftest import Response

SHORT_PROGRAM = """
import sys
from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(MlflowSpanExporter()))
with provider.get_tracer("t").start_as_current_span("short"):
    pass
"""


def close_connection(_):
    raise ConnectionAbortedError


@pytest.mark.parametrize(
    ("respond", "max_requests"),
    [
        # The first error may be caused by an idle connection, so there is a retry.
        (close_connection, 14),
        (lambda _: Response(503, headers={"Retry-After": "1"}), 7),
        (lambda _: Response(429, headers={"Retry-After": "1000000000"}), 7),
    ],
    ids=["closed", "503", "429"],
)
def test_program_ends_while_server_accepts_nothing(fake_server, respond, max_requests):
    fake_server.respond = respond
    start = time.monotonic()
    result = subprocess.run(
        [sys.executable, "-c", SHORT_PROGRAM],
        env=os.environ | {"MLFLOW_TRACKING_URI": fake_server.uri},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert time.monotonic() - start < 8
    assert 2 <= len(fake_server.requests) <= max_requests
    assert f"Spans not exported to MLflow at {fake_server.uri}: 1 (" in result.stderr


def test_program_that_ends_sends_what_waits(fake_server):
    answers = iter([Response(503), Response(503), Response()])
    fake_server.respond = lambda _: next(answers)
    result = subprocess.run(
        [sys.executable, "-c", SHORT_PROGRAM],
        env=os.environ | {"MLFLOW_TRACKING_URI": fake_server.uri},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert len(fake_server.requests) == 3
    assert "Spans not exported" not in result.stderr


@pytest.fixture
def silent_server():
    """The URI of a server that accepts connections and never responds."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def trickling_server():
    """The URI of a server that sends a byte of its response every tenth of a second."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def send_slowly(connection):
            with connection, suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
                while True:
                    connection.sendall(b"x")
                    time.sleep(0.1)

        def accept():
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    threading.Thread(
                        target=send_slowly, args=[connection], daemon=True
                    ).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


SPAN_COUNT = 20
SLOW_PROGRAM = f"""
import time
from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
exporter = MlflowSpanExporter()
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(exporter))
for _ in range({SPAN_COUNT}):
    provider.get_tracer("t").start_span("s").end()
"""
TIMEOUT = 2.0


@pytest.mark.parametrize(
    ("server", "end"),
    [
        ("silent_server", ""),
        ("silent_server", "time.sleep(1)"),
        ("trickling_server", "time.sleep(1)"),
    ],
)
def test_silent_server_delays_the_end_by_one_timeout_and_spans_are_counted(
    request, server, end
):
    """Each batch is one span, so that many requests would wait.

    After a second the first request waits for its response.
    """
    uri = request.getfixturevalue(server)
    start = time.monotonic()
    result = subprocess.run(
        [sys.executable, "-c", SLOW_PROGRAM + end],
        env=os.environ
        | {
            "MLFLOW_TRACKING_URI": uri,
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "1",
            "OTEL_EXPORTER_MLFLOW_TIMEOUT": str(TIMEOUT),
        },
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    cause = f"{SPAN_COUNT} (no response within {TIMEOUT:g} s)"
    assert f"Spans not exported to MLflow at {uri}: {cause}" in result.stderr
    assert time.monotonic() - start < 5 * TIMEOUT


def test_shutdown_ends_a_request_that_waits_and_counts_its_spans(
    monkeypatch, silent_server, spans
):
    monkeypatch.setattr(exit_deadline, "timeout", 1.5)
    exporter = MlflowSpanExporter(tracking_uri=silent_server)
    export = threading.Thread(target=exporter.export, args=[[spans.make()]])
    export.start()
    time.sleep(0.5)
    start = time.monotonic()
    exporter.shutdown()
    assert exporter.dropped_spans == 1
    # 2 s of it are for the version of the server.
    assert time.monotonic() - start < 5
    export.join()
