from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
import textwrap
import threading
from importlib.metadata import entry_points, version

import pytest
from dirty_equals import IsPartialDict
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    SimpleSpanProcessor,
    SpanExporter,
    SpanExportResult,
)

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.exporter.mlflow import environment_variables as env
from opentelemetry.exporter.mlflow._copied import copied
from opentelemetry.exporter.mlflow.version import __version__

from .conftest import Answer, mlflow_error

SUCCESS, FAILURE = SpanExportResult.SUCCESS, SpanExportResult.FAILURE


@pytest.fixture
def exporter(wire):
    made = MlflowSpanExporter(tracking_uri=wire.uri)
    yield made
    made.shutdown()


@pytest.fixture
def lines(caplog):
    """What was logged since the last call."""

    def taken():
        assert all(record.exc_info is None for record in caplog.records)
        messages = [record.getMessage() for record in caplog.records]
        assert all("\n" not in message for message in messages)
        caplog.clear()
        return messages

    return taken


def unreached(wire, cause, advice):
    return (
        f"Spans do not reach MLflow at {wire.uri}: {cause}. {advice}. "
        "(This is said once; spans that are lost are counted.)"
    )


def lost(wire, number, cause):
    return f"Spans lost on the way to MLflow at {wire.uri}: {number} ({cause})"


def names(wire):
    return [request.span_names for request in wire.requests]


def run(program, **environment):
    """Runs a program of its own and gives its output."""
    ended = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:__main__", "-c", program],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


# --- what it is


def test_it_is_what_otel_traces_exporter_names():
    (found,) = entry_points(group="opentelemetry_traces_exporter", name="mlflow")
    assert found.load() is MlflowSpanExporter
    assert issubclass(MlflowSpanExporter, SpanExporter)
    (found,) = entry_points(group="opentelemetry_environment_variables", name="mlflow")
    assert found.load() is env


def test_its_version_is_that_of_the_wheel():
    assert __version__ == version("opentelemetry-instrumentation-deepseek")


def test_each_setting_has_the_name_it_stands_under():
    names = {name: value for name, value in vars(env).items() if name.isupper()}
    assert names == {name: name for name in names}
    assert names == IsPartialDict({"MLFLOW_TRACKING_URI": "MLFLOW_TRACKING_URI"})


def test_every_argument_has_a_default_and_may_come_from_yaml(monkeypatch, wire):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", wire.uri)
    MlflowSpanExporter().shutdown()
    MlflowSpanExporter(
        tracking_uri=wire.uri, experiment_id=3, timeout=5, promote_remote_root=False
    ).shutdown()
    MlflowSpanExporter(experiment_name="agents").shutdown()
    assert wire.requests == []


@pytest.mark.parametrize("value", ["no", "2", "on"])
def test_promotion_is_on_or_off(monkeypatch, value):
    monkeypatch.setenv("OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT", value)
    with pytest.raises(
        ValueError, match=r"^OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT takes true or"
    ):
        MlflowSpanExporter(tracking_uri="http://localhost")


def test_it_needs_neither_mlflow_nor_openai():
    heavy = '{"mlflow", "openai", "pandas", "sqlalchemy", "numpy"}'
    program = f"""
        import sys
        import opentelemetry.exporter.mlflow
        print({heavy} & sys.modules.keys())
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        provider = TracerProvider()
        exporter = opentelemetry.exporter.mlflow.MlflowSpanExporter()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        provider.get_tracer("t").start_span("s").end()
        provider.shutdown()
        print({heavy} & sys.modules.keys(), exporter.lost)
    """
    uri = "http://127.0.0.1:9"
    assert run(
        textwrap.dedent(program),
        MLFLOW_TRACKING_URI=uri,
        OTEL_EXPORTER_MLFLOW_TIMEOUT="1",
    ).splitlines() == ["set()", "set() 1"]


# --- batches


def test_a_batch_is_sent_in_requests_of_200(wire, exporter, spans):
    batch = [spans.made(str(number)) for number in range(450)]
    assert exporter.export(batch) is SUCCESS
    assert [len(request) for request in names(wire)] == [200, 200, 50]
    sent = [name for request in names(wire) for name in request]
    assert sent == [str(number) for number in range(450)]
    assert exporter.lost == 0


def poisonous(request):
    if any(name.startswith("bad") for name in request.span_names):
        return mlflow_error(400, "INVALID_PARAMETER_VALUE")
    return Answer()


def accepted(wire):
    return sorted(
        name
        for request in wire.requests
        if poisonous(request).status == 200
        for name in request.span_names
    )


def test_one_bad_span_is_lost_alone(wire, exporter, spans, lines):
    wire.answers = poisonous
    good = [f"good {number:03}" for number in range(199)]
    batch = [spans.made(name) for name in [*good[:77], "bad", *good[77:]]]
    assert exporter.export(batch) is FAILURE
    assert accepted(wire) == good
    assert len(wire.requests) <= 17
    assert exporter.lost == 1
    refused = "it refuses some of them (400 INVALID_PARAMETER_VALUE)"
    advice = "Its own log has the reason; the others of the batch go without them"
    assert lines() == [unreached(wire, refused, advice)]
    assert exporter.export([spans.made("good"), spans.made("bad")]) is FAILURE
    assert exporter.export([spans.made("good")]) is SUCCESS
    assert lines() == []
    exporter.shutdown()
    assert lines() == [lost(wire, 2, refused)]


def test_the_search_for_bad_spans_ends(wire, exporter, spans):
    wire.answers = poisonous
    exporter.export([spans.made(f"bad {number}") for number in range(200)])
    assert exporter.lost == 200
    assert len(wire.requests) <= 65


def test_a_span_that_cannot_be_encoded_is_lost_alone(wire, exporter, spans):
    impossible = copied(spans.made(), resource=Resource({}, schema_url=1970))
    batch = [spans.made("one"), impossible, spans.made("two")]
    assert exporter.export(batch) is FAILURE
    assert accepted(wire) == ["one", "two"]
    assert exporter.lost == 1


def test_a_server_that_refuses_everything_is_asked_once(wire, exporter, spans):
    wire.answers = lambda _: Answer(401)
    exporter.export([spans.made() for _ in range(450)])
    assert exporter.lost == 450
    assert len(wire.requests) == 1


# --- reports


def test_each_cause_is_said_once_until_it_is_over(wire, exporter, spans, lines):
    def export(answer):
        wire.answers = lambda _: answer
        return exporter.export([spans.made(), spans.made()])

    assert export(Answer(500)) is FAILURE
    assert export(Answer(500)) is FAILURE
    assert export(Answer(403)) is FAILURE
    assert export(Answer(500)) is FAILURE
    first, second = lines()
    assert first == unreached(wire, "it fails (500)", "Its own log says why")
    assert "it does not permit this (403). Check the user's permission" in second
    assert export(Answer()) is SUCCESS
    again = f"Spans reach MLflow at {wire.uri} again"
    assert lines() == [
        f"{again}; lost: 6 (it fails (500))",
        f"{again}; lost: 2 (it does not permit this (403))",
    ]
    assert export(Answer(500)) is FAILURE
    assert len(lines()) == 1
    assert exporter.lost == 10
    exporter.shutdown()
    exporter.shutdown()
    assert lines() == [lost(wire, 2, "it fails (500)")]


def test_a_log_handler_may_end_spans_itself(wire, spans, lines):
    wire.answers = lambda _: Answer(500)
    exporter = MlflowSpanExporter(tracking_uri=wire.uri)

    class Tracing(logging.Handler):
        def emit(self, record):
            exporter.export([spans.made("while logging")])

    handler = Tracing()
    logger = logging.getLogger("opentelemetry.exporter.mlflow")
    logger.addHandler(handler)
    try:
        assert exporter.export([spans.made()]) is FAILURE
        assert exporter.lost == 2
        exporter.shutdown()
        assert exporter.lost == 4
    finally:
        logger.removeHandler(handler)
    assert len(lines()) == 3


def test_no_secret_is_said(monkeypatch, wire, spans, lines):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "tok-secret")
    uri = wire.uri.replace("//", "//ann:pw-secret@")
    wire.answers = lambda _: mlflow_error(401, "")
    exporter = MlflowSpanExporter(tracking_uri=uri)
    exporter.export([spans.made()])
    exporter.shutdown()
    said = "".join(lines())
    assert wire.uri in said
    assert "secret" not in said
    assert "ann" not in said


@pytest.mark.parametrize(
    "where", ["_wording.mlflow_attributes", "_content._held.Joining.joined"]
)
def test_a_defect_of_ours_is_not_the_applications(
    monkeypatch, wire, exporter, spans, lines, where
):
    monkeypatch.setattr(f"opentelemetry.exporter.mlflow.{where}", lambda *_: 1 / 0)
    assert exporter.export([spans.made()]) is FAILURE
    assert exporter.lost == 1
    defect = "a defect of the exporter (ZeroDivisionError)"
    advice = "Please report it, with the version of mlflow"
    assert lines() == [unreached(wire, defect, advice)]


# --- its life


def test_after_shutdown_nothing_is_sent(wire, exporter, spans, lines):
    exporter.shutdown()
    assert exporter.export([spans.made(), spans.made()]) is FAILURE
    assert wire.requests == []
    assert exporter.lost == 2
    (line,) = lines()
    assert "the exporter was shut down before" in line


def test_nothing_waits_to_be_flushed(wire, exporter, spans):
    assert exporter.export([spans.made("child of nobody")]) is SUCCESS
    assert names(wire) == [["child of nobody"]]
    assert exporter.force_flush() is True


def test_spans_on_their_way_are_copies(wire, exporter, spans):
    span = spans.made("s", {"gen_ai.operation.name": "chat"})
    before = span.to_json()
    exporter.export([span])
    assert span.to_json() == before


@pytest.mark.parametrize("processor", [BatchSpanProcessor, SimpleSpanProcessor])
def test_requests_of_the_exporter_are_not_traced(wire, exporter, processor):
    # The SDK's processors set the switch; the look-up of the experiment is inside, too.
    from opentelemetry.instrumentation.utils import is_instrumentation_enabled

    exporter = MlflowSpanExporter(tracking_uri=wire.uri, experiment_name="agents")
    seen = []
    session = exporter._destination._inner._session
    send = session.send

    def observed(*args, **kwargs):
        seen.append(is_instrumentation_enabled())
        return send(*args, **kwargs)

    session.send = observed
    wire.answers = lambda request: (
        Answer()
        if request.path == "/v1/traces"
        else Answer(
            body=b'{"experiment": {"experiment_id": "5", "lifecycle_stage": "active"}}'
        )
    )
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor(exporter))
    provider.get_tracer("t").start_span("s").end()
    provider.shutdown()
    assert seen == [False, False]


def test_threads_may_export_at_once(wire, exporter, spans, lines):
    wire.answers = lambda request: (
        Answer(500) if "bad" in request.span_names else Answer()
    )
    batches = [[spans.made("bad" if n % 2 else "good")] for n in range(40)]
    results = {}

    def export(n):
        results[n] = exporter.export(batches[n])

    threads = [threading.Thread(target=export, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {n: FAILURE if n % 2 else SUCCESS for n in range(40)}
    assert exporter.lost == 20


def test_an_exporter_that_nobody_holds_goes_away(wire):
    import weakref

    exporter = MlflowSpanExporter(tracking_uri=wire.uri)
    exporter.shutdown()
    held = weakref.ref(exporter)
    del exporter
    gc.collect()
    assert held() is None


def test_it_works_where_nothing_forks(monkeypatch, wire, spans):
    monkeypatch.delattr("os.register_at_fork")
    exporter = MlflowSpanExporter(tracking_uri=wire.uri)
    assert exporter.export([spans.made("s")]) is SUCCESS
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
    exporter._losses.total = 3
    locks = [part._lock for part in (
        exporter._roots, exporter._losses,
        exporter._destination, exporter._destination._inner)]
    held, over = threading.Event(), threading.Event()
    def hold():
        for lock in locks: lock.acquire()
        held.set()
        over.wait()
        for lock in locks: lock.release()
    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    warnings.simplefilter("ignore", DeprecationWarning)
    child = os.fork()
    if not child:
        signal.alarm(30)
        tracer.start_span("in the child").end()
        provider.force_flush()
        print(exporter.lost)
        sys.exit()
    over.set()
    holder.join()
    assert os.waitpid(child, 0)[1] == 0
    tracer.start_span("in the parent").end()
    provider.shutdown()
    print(exporter.lost)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform has no fork")
def test_a_forked_child_exports_as_well(wire):
    output = run(textwrap.dedent(FORKING), MLFLOW_TRACKING_URI=wire.uri)
    assert output.splitlines() == ["0", "3"]
    assert names(wire) == [["before"], ["in the child"], ["in the parent"]]


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
