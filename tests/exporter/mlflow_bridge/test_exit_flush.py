"""What MLflow itself sends of a trace arrives from a program that ends at once."""

from __future__ import annotations

import os
import time

import pytest

from opentelemetry.exporter.mlflow._mlflow_bridge import _exit_flush

from .programs import in_mlflow


@pytest.mark.parametrize("is_asynchronous", [True, False])
def test_mlflows_exporter_is_ready_for_the_end_with_its_first_span(
    fake_server, is_asynchronous
):
    assert in_mlflow(
        f"""
        os.environ["MLFLOW_ENABLE_ASYNC_TRACE_LOGGING"] = "{is_asynchronous}"
        os.environ["MLFLOW_EXPERIMENT_ID"] = "0"
        MlflowInstrumentor().instrument()
        import mlflow
        from mlflow.tracing.provider import _get_trace_exporter

        def ready():
            queue = getattr(_get_trace_exporter(), "_async_queue", None)
            return queue and queue.is_active()

        mlflow.tracing.enable()
        before = ready()
        for name in "ab":
            with mlflow.start_span(name):
                pass
        print(json.dumps([before, ready()]))
        os._exit(0)
        """,
        fake_server,
    ) == ([False, True] if is_asynchronous else [None, None])


def test_in_a_forked_child_mlflows_exporter_starts_anew(fake_server):
    assert (
        in_mlflow(
            """
        import signal
        os.environ["MLFLOW_EXPERIMENT_ID"] = "0"
        MlflowInstrumentor().instrument()
        import mlflow
        from mlflow.tracing.export.async_export_queue import Task
        from mlflow.tracing.provider import _get_trace_exporter

        with mlflow.start_span("a"):
            pass
        came, went = os.pipe()
        if os.fork() == 0:
            signal.alarm(60)
            queue = _get_trace_exporter()._async_queue
            queue.put(Task(handler=os.write, args=(went, b"done")))
            queue.flush(terminate=True)
            os._exit(0)
        os.close(went)
        print(json.dumps(os.read(came, 9).decode()))
        os.wait()
        os._exit(0)
        """,
            fake_server,
        )
        == "done"
    )


@pytest.mark.parametrize(
    ("theirs", "lasted", "tries"), [(None, 1, "2"), (None, 6, None), ("7", 1, "7")]
)
def test_a_program_that_ends_at_once_is_not_held_up(monkeypatch, theirs, lasted, tries):
    retries = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
    monkeypatch.setenv(retries, theirs or "")
    if theirs is None:
        monkeypatch.delenv(retries)
    _exit_flush._limit_retries(time.monotonic() - lasted)
    assert os.environ.get(retries) == tries
