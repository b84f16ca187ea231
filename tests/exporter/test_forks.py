"""An exporter in a program that forks."""

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


FORKING = """
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
    # As if another thread were in the middle of an export, and had lost spans.
    exporter._dropped_spans.total = 3
    locks = [part._lock for part in (
        exporter._translator, exporter._dropped_spans,
        exporter._destination, exporter._destination._destination)]
    pending_content, over = threading.Event(), threading.Event()
    def hold():
        for lock in locks: lock.acquire()
        pending_content.set()
        over.wait()
        for lock in locks: lock.release()
    holder = threading.Thread(target=hold)
    holder.start()
    pending_content.wait()
    warnings.simplefilter("ignore", DeprecationWarning)
    child = os.fork()
    if not child:
        signal.alarm(30)
        tracer.start_span("in the child").end()
        provider.force_flush()
        print(exporter.dropped_spans)
        sys.exit()
    over.set()
    holder.join()
    assert os.waitpid(child, 0)[1] == 0
    tracer.start_span("in the parent").end()
    provider.shutdown()
    print(exporter.dropped_spans)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform has no fork")
def test_a_forked_child_can_export(fake_server):
    output = run(textwrap.dedent(FORKING), MLFLOW_TRACKING_URI=fake_server.uri)
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
        textwrap.dedent(FORKING),
        MLFLOW_TRACKING_URI=f"sqlite:///{tmp_path}/mlflow.db",
        HOME=str(tmp_path),
    )
    assert output.splitlines() == ["0", "3"]

    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        rows = database.execute("select name from spans order by start_time_unix_nano")
        assert rows.fetchall() == [("before",), ("in the child",), ("in the parent",)]
