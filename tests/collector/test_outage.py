"""No span is lost or duplicated while MLflow is down and the collector is killed."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing

import pytest

from examples.quickstart.mlflow_server import MlflowServer

from .conftest import AGENT_CONFIG, tracer_for, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

OUTAGE_SECONDS = 120
TRACES_PER_SECOND, SPANS_PER_TRACE = 4, 50


def test_mlflow_outage_and_killed_collector_lose_no_span(
    make_collector, receiver, tmp_path
):
    stop = threading.Event()
    sent_span_ids = []

    def send_traces():
        start = time.monotonic()
        with tracer_for(collector) as tracer:
            while not stop.is_set():
                with tracer.start_as_current_span("root") as root:
                    sent_span_ids.append(root.context.span_id)
                    for _ in range(SPANS_PER_TRACE - 1):
                        with tracer.start_as_current_span("step") as step:
                            sent_span_ids.append(step.context.span_id)
                trace_count = len(sent_span_ids) / SPANS_PER_TRACE
                stop.wait(start + trace_count / TRACES_PER_SECOND - time.monotonic())

    folder = tmp_path / "mlflow"
    server = MlflowServer(folder)
    with server:
        pass
    # The database exists now, and MLflow is down.
    with make_collector(
        *AGENT_CONFIG,
        BACKEND_OTLP_ENDPOINT=receiver.endpoint,
        MLFLOW_TRACKING_URI=server.uri,
    ) as collector:
        thread = threading.Thread(target=send_traces)
        thread.start()
        time.sleep(OUTAGE_SECONDS / 2)
        collector.kill()
        time.sleep(0.5)
        collector.start()
        time.sleep(OUTAGE_SECONDS / 2)
        with server:
            stop.set()
            thread.join()
            assert len(sent_span_ids) >= (
                OUTAGE_SECONDS * TRACES_PER_SECOND * SPANS_PER_TRACE
            )
            wait_until(
                lambda: len(stored_span_ids(folder)) >= len(sent_span_ids), timeout=180
            )
            assert sorted(stored_span_ids(folder)) == sorted(
                f"{span_id:016x}" for span_id in sent_span_ids
            )
        failed = collector.metric(
            "otelcol_exporter_send_failed_spans", exporter="otlp_http/mlflow"
        )
        assert failed == 0


def stored_span_ids(folder):
    with closing(sqlite3.connect(folder / "mlflow.db")) as database:
        return [row for (row,) in database.execute("SELECT span_id FROM spans")]
