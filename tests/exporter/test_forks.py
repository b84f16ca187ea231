"""Exporters in programs that fork."""

from __future__ import annotations

import os
import textwrap

import pytest
from opentelemetry.sdk.trace.export import SpanExportResult

from opentelemetry.exporter.mlflow import MlflowSpanExporter

from .programs import run


def test_the_exporter_works_without_os_register_at_fork(
    monkeypatch, fake_server, spans
):
    monkeypatch.delattr("os.register_at_fork")
    exporter = MlflowSpanExporter(tracking_uri=fake_server.uri)
    assert exporter.export([spans.make("s")]) is SpanExportResult.SUCCESS
    exporter.shutdown()


FORKING_PROGRAM = """
    import os, signal, sys, threading, warnings
    from opentelemetry.exporter.mlflow import MlflowSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    provider = TracerProvider()
    exporter = MlflowSpanExporter()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("t")
    tracer.start_span("before").end()
    provider.force_flush()
    # During the fork another thread holds the locks, as in an export. Some spans have
    # been dropped before.
    exporter._log.dropped = 3
    locks = [component._lock for component in (
        exporter._translator, exporter._log, exporter._sender._queue,
        exporter._sender._timer,
        exporter._destination, exporter._destination._destination)]
    locks_held, has_forked = threading.Event(), threading.Event()
    def hold_locks():
        for lock in locks: lock.acquire()
        locks_held.set()
        has_forked.wait()
        for lock in locks: lock.release()
    lock_thread = threading.Thread(target=hold_locks)
    lock_thread.start()
    locks_held.wait()
    warnings.simplefilter("ignore", DeprecationWarning)
    pid = os.fork()
    if not pid:
        signal.alarm(30)
        tracer.start_span("in the child").end()
        provider.force_flush()
        print(exporter.dropped_spans)
        sys.exit()
    has_forked.set()
    lock_thread.join()
    assert os.waitpid(pid, 0)[1] == 0
    tracer.start_span("in the parent").end()
    provider.shutdown()
    print(exporter.dropped_spans)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform has no fork")
def test_a_forked_child_can_export(fake_server):
    output = run(textwrap.dedent(FORKING_PROGRAM), MLFLOW_TRACKING_URI=fake_server.uri)
    assert output.splitlines() == ["0", "3"]
    assert [request.span_names for request in fake_server.requests] == [
        ["before"],
        ["in the child"],
        ["in the parent"],
    ]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform has no fork")
@pytest.mark.e2e
def test_a_forked_child_shares_no_database_connection(tmp_path):
    output = run(
        textwrap.dedent(FORKING_PROGRAM),
        MLFLOW_TRACKING_URI=f"sqlite:///{tmp_path}/mlflow.db",
        HOME=str(tmp_path),
    )
    assert output.splitlines() == ["0", "3"]

    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        rows = database.execute("select name from spans order by start_time_unix_nano")
        assert rows.fetchall() == [("before",), ("in the child",), ("in the parent",)]
