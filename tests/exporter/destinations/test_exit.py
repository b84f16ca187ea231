"""Programs that end while the server does not respond."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

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
        (close_connection, 2),
        (lambda _: Response(503, headers={"Retry-After": "1"}), 4),
    ],
)
def test_program_ends_while_server_does_not_respond(fake_server, respond, max_requests):
    fake_server.respond = respond
    result = subprocess.run(
        [sys.executable, "-c", SHORT_PROGRAM],
        env=os.environ | {"MLFLOW_TRACKING_URI": fake_server.uri},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert 2 <= len(fake_server.requests) <= max_requests
    assert f"Spans not exported to MLflow at {fake_server.uri}: 1 (" in result.stderr
