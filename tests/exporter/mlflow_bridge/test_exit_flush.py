"""MLflow finishes its own export in programs that end right after a trace."""

from __future__ import annotations

import os
import time

import pytest

from opentelemetry.exporter.mlflow._mlflow_bridge import _exit_flush

from .mlflow_programs import run_mlflow_program

# The oldest versions of MLflow have only the second one.
ASYNC_SETTINGS = ("MLFLOW_ENABLE_ASYNC_TRACE_LOGGING", "MLFLOW_ENABLE_ASYNC_LOGGING")


@pytest.mark.parametrize("is_asynchronous", [True, False])
def test_export_threads_of_mlflow_start_with_the_first_span(
    fake_server, is_asynchronous
):
    assert run_mlflow_program(
        f"""
        for name in {ASYNC_SETTINGS}:
            os.environ[name] = "{is_asynchronous}"
        os.environ["MLFLOW_EXPERIMENT_ID"] = "0"
        MlflowInstrumentor().instrument()
        import mlflow
        from mlflow.tracing.provider import _get_trace_exporter

        def is_queue_active():
            queue = getattr(_get_trace_exporter(), "_async_queue", None)
            return queue and queue.is_active()

        mlflow.tracing.enable()
        is_active_before = is_queue_active()
        for name in "ab":
            with mlflow.start_span(name):
                pass
        print(json.dumps([is_active_before, is_queue_active()]))
        os._exit(0)
        """,
        fake_server,
    ) == ([False, True] if is_asynchronous else [None, None])


def test_export_threads_of_mlflow_start_again_in_a_forked_child(fake_server):
    assert (
        run_mlflow_program(
            f"""
        import signal
        os.environ.update(dict.fromkeys({ASYNC_SETTINGS}, "true"))
        os.environ["MLFLOW_EXPERIMENT_ID"] = "0"
        MlflowInstrumentor().instrument()
        import mlflow
        from mlflow.tracing.export.async_export_queue import Task
        from mlflow.tracing.provider import _get_trace_exporter

        with mlflow.start_span("a"):
            pass
        read_end, write_end = os.pipe()
        if os.fork() == 0:
            signal.alarm(60)
            queue = _get_trace_exporter()._async_queue
            queue.put(Task(handler=os.write, args=(write_end, b"done")))
            queue.flush(terminate=True)
            os._exit(0)
        os.close(write_end)
        print(json.dumps(os.read(read_end, 9).decode()))
        os.wait()
        os._exit(0)
        """,
            fake_server,
        )
        == "done"
    )


@pytest.mark.parametrize(
    ("user_value", "run_seconds", "expected"),
    [(None, 1, "2"), (None, 6, None), ("7", 1, "7")],
)
def test_mlflow_retries_are_limited_at_exit_of_a_short_program(
    monkeypatch, user_value, run_seconds, expected
):
    variable = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
    monkeypatch.setenv(variable, user_value or "")
    if user_value is None:
        monkeypatch.delenv(variable)
    _exit_flush._limit_retries(time.monotonic() - run_seconds)
    assert os.environ.get(variable) == expected
