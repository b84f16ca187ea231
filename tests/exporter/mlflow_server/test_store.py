"""A local store: from a short program, and one that cannot be opened."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from dirty_equals import IsStr

from opentelemetry.exporter.mlflow import MlflowSpanExporter

from .conftest import FAILURE, IGNORE_STORE_WARNING, Mlflow

pytestmark = [pytest.mark.e2e, IGNORE_STORE_WARNING]

SHORT_PROGRAM = """
import sys
from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(MlflowSpanExporter()))
with provider.get_tracer("t").start_as_current_span(sys.argv[1]):
    pass
assert "mlflow" not in sys.modules
"""


def test_short_program_stores_its_spans_at_exit(store_uri):
    mlflow = Mlflow(store_uri)
    subprocess.run(
        [sys.executable, "-c", SHORT_PROGRAM, "short"],
        env=os.environ
        | {
            "MLFLOW_TRACKING_URI": store_uri,
            "MLFLOW_EXPERIMENT_NAME": mlflow.experiment_name,
        },
        check=True,
        timeout=120,
    )
    assert mlflow.search_names("trace.status = 'OK'") == ["short"]


def test_store_that_cannot_be_opened_is_logged(store_uri, spans, caplog, monkeypatch):
    # MLflow tries ten times, and waits a minute in total.
    monkeypatch.setattr("mlflow.store.db.utils.MAX_RETRY_COUNT", 1)
    exporter = MlflowSpanExporter(tracking_uri="sqlite:////dev/null/mlflow.db")
    assert exporter.export([spans.make(), spans.make()]) is FAILURE
    assert [r.getMessage() for r in caplog.records if "opentelemetry" in r.name] == [
        IsStr(
            regex=r".*sqlite:////dev/null/mlflow.db: "
            r"the store failed \(\w+\)\. Check that .*"
        )
    ]
    exporter.shutdown()
    assert exporter.dropped_spans == 2


def test_private_api_of_mlflow_that_the_local_store_uses(store_uri):
    """MLflow's public reference does not have these names, so they may change."""
    import inspect

    from mlflow.entities import Span
    from mlflow.tracing.client import TracingClient

    assert list(inspect.signature(TracingClient.log_spans).parameters) == [
        "self",
        "location",
        "spans",
    ]
    assert "resource" in inspect.signature(Span.from_otel_proto).parameters
    assert callable(TracingClient(store_uri).store.engine.dispose)
