"""Programs that end right after their spans, or fork."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

from .fake_databricks import EXPERIMENT

PROGRAM = """
import sys
from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
provider = TracerProvider()
exporter = MlflowSpanExporter()
assert "databricks.sdk" not in sys.modules
provider.add_span_processor(BatchSpanProcessor(exporter))
provider.get_tracer("t").start_span("short").end()
{end}
"""


@pytest.mark.parametrize("table_prefix", [None, "main.agents.ds"])
@pytest.mark.parametrize(
    ("end", "trace_count"),
    [
        ("", 1),  # the SDK exports at exit
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
def test_spans_are_exported_at_exit_and_after_fork(
    databricks, table_prefix, end, trace_count
):
    databricks.table_prefix = table_prefix
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(end=textwrap.dedent(end))],
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
    assert result.returncode == 0, result.stderr
    assert "Cannot export spans" not in result.stderr
    assert (
        len(databricks.table_trace_infos if table_prefix else databricks.storage.files)
        == trace_count
    )
