"""Processes of `multiprocessing` and children of `os.fork`."""

from __future__ import annotations

import os

import pytest

from .conftest import at_most

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="Windows has only spawned processes"
)

SIX = [f"work {number}" for number in range(6)]


@pytest.mark.parametrize(
    ("start_method", "end"),
    [
        ("fork", "join"),
        ("fork", "terminate"),
        ("fork", "close"),
        ("forkserver", "join"),
        ("forkserver", "terminate"),
        ("spawn", "terminate"),
        ("spawn", "close"),
    ],
)
def test_workers_of_a_pool_are_flushed(programs, start_method, end):
    """`close` is the end of a `with` block, too: it terminates what closes."""
    assert programs.run("pool.py", start_method, end) == (0, "", "")
    assert programs.span_names == SIX


@pytest.mark.parametrize("start_method", ["fork", "forkserver"])
def test_workers_of_an_executor_are_flushed(programs, start_method):
    assert programs.run("executor.py", start_method) == (0, "", "")
    assert programs.span_names == SIX


@pytest.mark.parametrize(
    ("kind", "status", "spans"),
    [
        ("exit", 3, ["child", "parent"]),
        ("error", 1, ["child", "parent"]),
        # A thread that outlives the function of the process.
        ("thread", 0, ["child", "parent", "thread"]),
        ("terminate", -15, ["child", "parent"]),
    ],
)
def test_child_is_flushed_and_has_the_same_status(programs, kind, status, spans):
    exit_status, output, errors = programs.run("child.py", "fork", kind)
    assert (exit_status, output) == (0, f"{status}\n")
    assert ("LookupError" in errors) == (kind == "error")
    # The span of the parent is sent once: the child has none.
    assert programs.span_names == spans


def test_spawned_child_runs_its_atexit_functions_with_telemetry(programs):
    code = (
        "import atexit\n"
        "from multiprocessing import get_context\n"
        "from opentelemetry import trace\n"
        "def work(name):\n"
        "    trace.get_tracer('test').start_span(name).end()\n"
        "def run():\n"
        "    work('child')\n"
        "    atexit.register(work, 'atexit')\n"
        "if __name__ == '__main__':\n"
        "    process = get_context('spawn').Process(target=run)\n"
        "    process.start()\n"
        "    process.join()\n"
    )
    path = programs.folder / "spawned.py"
    path.write_text(code)
    assert programs.run(str(path)) == (0, "", "")
    assert programs.span_names == ["atexit", "child"]


def test_signal_to_a_new_child_is_not_lost(programs):
    """Otherwise the pool would wait for its workers forever."""
    status, _, _ = programs.run("new_pool.py")
    assert status == 0
    assert programs.span_names == ["parent"]


@pytest.mark.parametrize("end", ["return", "terminate"])
def test_stream_that_is_open_at_the_end_has_a_span(programs, deepseek, end):
    assert programs.run("forked_stream.py", end) == (0, "", "")
    (span,) = programs.otlp.spans
    assert span.attributes["gen_ai.response.finish_reasons"] == ["error"]
    assert programs.span_names == ["chat deepseek-flash"]


def test_one_call_in_code_is_sufficient(programs):
    """Without `opentelemetry-instrument`."""
    code = (
        "from multiprocessing import get_context\n"
        "from opentelemetry import trace\n"
        "from opentelemetry.exporter.mlflow import MlflowSpanExporter\n"
        "from opentelemetry.exporter.otlp.proto.http.trace_exporter import (\n"
        "    OTLPSpanExporter,\n"
        ")\n"
        "from opentelemetry.instrumentation.exit_flush import ExitFlushInstrumentor\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "from opentelemetry.sdk.trace.export import BatchSpanProcessor\n"
        "ExitFlushInstrumentor().instrument(timeout=3)\n"
        "provider = TracerProvider()\n"
        "for exporter in (OTLPSpanExporter(), MlflowSpanExporter()):\n"
        "    provider.add_span_processor(BatchSpanProcessor(exporter))\n"
        "trace.set_tracer_provider(provider)\n"
        "def work(name):\n"
        "    trace.get_tracer('test').start_span(name).end()\n"
        "work('parent')\n"
        "with get_context('fork').Pool(2) as pool:\n"
        "    pool.map(work, ['a', 'b', 'c'])\n"
    )
    assert programs.run("-c", code, automatic=False) == (0, "", "")
    assert programs.span_names == ["a", "b", "c", "parent"]


def test_server_that_does_not_respond_delays_a_pool_by_the_limit(programs, dead_server):
    with at_most(10):
        status, _, _ = programs.run(
            "pool.py",
            "fork",
            "terminate",
            OTEL_EXPORTER_OTLP_ENDPOINT=dead_server,
            OTEL_INSTRUMENTATION_EXIT_FLUSH_TIMEOUT="2",
        )
    assert status == 0
    assert sorted(span.name for span in programs.mlflow.spans) == SIX


def test_functions_of_atexit_keep_their_order(programs):
    code = (
        "import atexit, sys\n"
        "from opentelemetry import trace\n"
        "def work(name):\n"
        "    trace.get_tracer('test').start_span(name).end()\n"
        "    print(name)\n"
        "atexit.register(work, 'first registered')\n"
        "atexit.register(work, 'last registered')\n"
        "sys.exit(6)\n"
    )
    assert programs.run("-c", code)[:2] == (6, "last registered\nfirst registered\n")
    assert programs.span_names == ["first registered", "last registered"]


def test_library_does_not_import_multiprocessing(programs):
    code = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "from opentelemetry.instrumentation.exit_flush import ExitFlushInstrumentor\n"
        "ExitFlushInstrumentor().instrument()\n"
        "print(*{'multiprocessing', 'opentelemetry.sdk'} & (set(sys.modules) - before))"
    )
    assert programs.run("-c", code, automatic=False) == (0, "\n", "")
