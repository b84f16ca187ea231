"""Programs that end soon, or fork, and the spans they leave."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

from .fake import EXPERIMENT

SHORT = """
import sys
from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
provider = TracerProvider()
exporter = MlflowSpanExporter()
assert "databricks.sdk" not in sys.modules
provider.add_span_processor(BatchSpanProcessor(exporter))
provider.get_tracer("t").start_span("short").end()
{then}
"""


@pytest.mark.parametrize("linked", [None, "main.agents.ds"])
@pytest.mark.parametrize(
    ("then", "stored"),
    [
        ("", 1),  # the SDK's own call at exit
        (
            """
            provider.force_flush()
            assert "mlflow" not in sys.modules
            """,
            1,
        ),
        (
            """
            import os
            provider.force_flush()
            pid = os.fork()
            provider.get_tracer("t").start_span("both").end()
            provider.force_flush()
            assert not exporter.dropped_spans
            if not pid: os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0
            """,
            3,
        ),
    ],
)
def test_a_short_program_and_a_fork(databricks, linked, then, stored):
    databricks.linked = linked
    ended = subprocess.run(
        [sys.executable, "-c", SHORT.format(then=textwrap.dedent(then))],
        env=os.environ
        | {
            "MLFLOW_TRACKING_URI": "databricks",
            "MLFLOW_EXPERIMENT_NAME": EXPERIMENT,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    assert "do not reach" not in ended.stderr
    assert len(databricks.rows if linked else databricks.blobs) == stored
