"""MLflow is away, and the collector dies meanwhile: no span is lost or doubled."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing

import pytest

from examples.quickstart.mlflow_server import MlflowServer

from .conftest import AGENT, eventually, tracing

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

AWAY = 120  # seconds
TRACES_A_SECOND, SPANS_A_TRACE = 4, 50


def test_two_minutes_without_mlflow_and_a_killed_collector_lose_nothing(
    collector, receiver, tmp_path
):
    ends = threading.Event()
    ended = []

    def work():
        begins = time.monotonic()
        with tracing(running) as tracer:
            while not ends.is_set():
                with tracer.start_as_current_span("root") as root:
                    ended.append(root.context.span_id)
                    for _ in range(SPANS_A_TRACE - 1):
                        with tracer.start_as_current_span("step") as step:
                            ended.append(step.context.span_id)
                traces = len(ended) / SPANS_A_TRACE
                ends.wait(begins + traces / TRACES_A_SECOND - time.monotonic())

    folder = tmp_path / "mlflow"
    server = MlflowServer(folder)
    with server:
        pass
    # Now its database is made, and there is no MLflow.
    with collector(
        *AGENT,
        BACKEND_OTLP_ENDPOINT=receiver.endpoint,
        MLFLOW_TRACKING_URI=server.uri,
    ) as running:
        working = threading.Thread(target=work)
        working.start()
        time.sleep(AWAY / 2)
        running.kill()
        time.sleep(0.5)
        running.start()
        time.sleep(AWAY / 2)
        with server:
            ends.set()
            working.join()
            assert len(ended) >= AWAY * TRACES_A_SECOND * SPANS_A_TRACE
            eventually(lambda: len(stored(folder)) >= len(ended), patience=180)
            assert sorted(stored(folder)) == sorted(f"{one:016x}" for one in ended)
        failed = running.metric(
            "otelcol_exporter_send_failed_spans", exporter="otlp_http/mlflow"
        )
        assert failed == 0


def stored(folder):
    with closing(sqlite3.connect(folder / "mlflow.db")) as database:
        return [row for (row,) in database.execute("SELECT span_id FROM spans")]
