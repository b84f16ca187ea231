"""Programs that end while their server does not answer."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.exporter.conftest import Answer

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


def hang_up(_):
    raise ConnectionAbortedError


@pytest.mark.parametrize(
    ("answers", "tries"),
    [
        # The second time is for a connection that was only old.
        (hang_up, 2),
        (lambda _: Answer(503, headers={"Retry-After": "1"}), 4),
    ],
)
def test_a_program_ends_though_its_server_does_not_answer(wire, answers, tries):
    wire.answers = answers
    ended = subprocess.run(
        [sys.executable, "-c", SHORT_PROGRAM],
        env=os.environ | {"MLFLOW_TRACKING_URI": wire.uri},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert 2 <= len(wire.requests) <= tries
    assert f"Spans lost on the way to MLflow at {wire.uri}: 1 (" in ended.stderr
