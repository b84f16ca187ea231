"""Local stores in real databases: PostgreSQL, and MariaDB for mysql://."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest
from opentelemetry.sdk.trace.export import SpanExportResult

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from tests.databases import MariaDB, NotInstalledError, PostgreSQL
from tests.skipping import skip_unless_ci

pytestmark = [
    pytest.mark.e2e,
    # MLflow causes this warning when it opens a store.
    pytest.mark.filterwarnings("ignore:The ..noload.. loader:DeprecationWarning"),
]

SUCCESS, FAILURE = SpanExportResult.SUCCESS, SpanExportResult.FAILURE


@pytest.fixture(scope="module", params=[PostgreSQL, MariaDB])
def database(request):
    try:
        with request.param() as server:
            yield server
    except (NotInstalledError, ModuleNotFoundError) as error:
        skip_unless_ci(error)


@pytest.fixture
def client(database, monkeypatch, tmp_path):
    from mlflow import MlflowClient

    monkeypatch.setenv("MLFLOW_MODEL_CATALOG_URI", "")
    monkeypatch.chdir(tmp_path)  # the default place of artifacts
    return MlflowClient(database.uri)


@pytest.fixture
def exporter(database, client, request):
    exporter = MlflowSpanExporter(
        tracking_uri=database.uri, experiment_name=request.node.name
    )
    yield exporter
    exporter.shutdown()


def span_names(client, request):
    """The names of the spans of each trace in this test's experiment."""
    experiment = client.get_experiment_by_name(request.node.name)
    return [
        sorted(span.name for span in trace.data.spans)
        for trace in client.search_traces(locations=[experiment.experiment_id])
    ]


def test_stored_trace_has_computed_trace_info(client, exporter, spans, request):
    with spans.tracer.start_as_current_span("POST /ask"):
        attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "deepseek",
            "gen_ai.response.model": "deepseek-v4-flash",
            "gen_ai.usage.input_tokens": 10,
            "gen_ai.usage.output_tokens": 3,
            "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", '
            '"content": "Wie heißt 🐘?"}]}]',
            "gen_ai.conversation.id": "s-1",
        }
        with spans.tracer.start_as_current_span("chat", attributes=attributes):
            pass
    chat, root = spans.take()
    # A long trace takes several requests, too.
    assert exporter.export([chat]) is SUCCESS
    assert exporter.export([root]) is SUCCESS
    trace = client.get_trace(f"tr-{root.context.trace_id:032x}")
    assert trace.info.state.value == "OK"
    assert trace.info.request_preview == "Wie heißt 🐘?"
    assert trace.info.trace_metadata["mlflow.trace.session"] == "s-1"
    assert trace.info.token_usage == {
        "input_tokens": 10,
        "output_tokens": 3,
        "total_tokens": 13,
    }
    assert span_names(client, request) == [["POST /ask", "chat"]]


def test_threads_may_export_one_trace(client, exporter, spans, request):
    with spans.tracer.start_as_current_span("root"):
        for number in range(40):
            spans.tracer.start_span(f"{number:02}").end()
    finished = spans.take()
    results = []

    def export(batch):
        results.append(exporter.export(batch))

    threads = [
        threading.Thread(target=export, args=(finished[start::4],))
        for start in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [SUCCESS] * 4
    assert span_names(client, request) == [sorted(span.name for span in finished)]


FORKING_PROGRAM = """
import os, sys
from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
provider = TracerProvider()
exporter = MlflowSpanExporter()
provider.add_span_processor(SimpleSpanProcessor(exporter))
tracer = provider.get_tracer("t")
tracer.start_span("before").end()
pid = os.fork()
for number in range(3):
    tracer.start_span(f"{'parent' if pid else 'child'} {number}").end()
if not pid:
    os._exit(exporter.dropped_spans)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
tracer.start_span("after").end()
assert exporter.dropped_spans == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
def test_fork_opens_new_connections(database, client, request):
    result = subprocess.run(
        [sys.executable, "-c", FORKING_PROGRAM],
        env=os.environ
        | {
            "MLFLOW_TRACKING_URI": database.uri,
            "MLFLOW_EXPERIMENT_NAME": request.node.name,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    assert sorted(name for (name,) in span_names(client, request)) == [
        "after",
        "before",
        *(f"child {number}" for number in range(3)),
        *(f"parent {number}" for number in range(3)),
    ]


def test_export_resumes_after_database_restart(
    database, client, exporter, spans, request, caplog
):
    assert exporter.export([spans.make("before")]) is SUCCESS
    database.stop()
    assert exporter.export([spans.make("during")]) is FAILURE
    database.start()
    assert exporter.force_flush()
    assert exporter.export([spans.make("after")]) is SUCCESS
    assert sorted(span_names(client, request)) == [["after"], ["before"], ["during"]]
    assert exporter.dropped_spans == 0
    messages = [r.getMessage() for r in caplog.records if "opentelemetry" in r.name]
    assert "s3cr3t" not in "".join(messages)
