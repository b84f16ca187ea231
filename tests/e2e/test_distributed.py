"""Tests traces that span several services, have many spans or take hours."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest

from examples.quickstart import _agent_run

from .conftest import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlflow.entities import Trace

pytestmark = pytest.mark.e2e

PROGRAMS = Path(__file__).with_name("services")
SERVICE = PROGRAMS / "service.py"
LONG_JOB = PROGRAMS / "long_job.py"
QUESTION = "What does a refund take?"
CHAT = "chat deepseek-flash"
WITHOUT_DELAY = {"OTEL_BSP_SCHEDULE_DELAY": "1"}
WITHOUT_REMOTE_ROOT_PROMOTION = {"OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT": "false"}
TO_MLFLOW = {"OTEL_TRACES_EXPORTER": "mlflow"}
WITH_ERROR = {"FAILS": "1"}
NOT_EXPORTED = {"OTEL_TRACES_EXPORTER": "none"}


@pytest.fixture
def experiment() -> str:
    return f"distributed {uuid.uuid4()}"


@pytest.fixture
def run_services(
    mlflow_uri, simulator, experiment, traces
) -> Callable[..., list[Trace]]:
    """A function that sends one question through two services.

    It takes the variables of both and returns the traces of the experiment.
    """

    @contextmanager
    def service(**variables: str) -> Iterator[str]:
        """Runs a service and yields its URL; on exit, all its spans have been sent."""
        with subprocess.Popen(
            [_agent_run.opentelemetry_instrument(), sys.executable, SERVICE],
            env=ENVIRONMENT
            | {
                "DEEPSEEK_BASE_URL": simulator.base_url,
                "MLFLOW_EXPERIMENT_NAME": experiment,
                "MLFLOW_TRACKING_URI": mlflow_uri,
                "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS": urlsplit(
                    simulator.base_url
                ).netloc,
                "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
                "OTEL_LOGS_EXPORTER": "none",
                "OTEL_METRICS_EXPORTER": "none",
            }
            | variables,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield f"http://127.0.0.1:{int(process.stdout.readline())}"
            finally:
                process.terminate()
                process.wait(60)

    def run_services(frontend: dict[str, str], backend: dict[str, str]) -> list[Trace]:
        with service(**backend) as backend_url:
            next_url = f"{backend_url}/answer"
            with (
                service(NEXT=next_url, **frontend) as frontend_url,
                suppress(HTTPError),
            ):
                request = urllib.request.Request(
                    f"{frontend_url}/ask", QUESTION.encode(), method="POST"
                )
                with urllib.request.urlopen(request, timeout=60) as response:
                    assert response.status == 200
        return traces(experiment)

    return run_services


def tree(trace: Trace) -> list[tuple[str | None, str]]:
    names = {span.span_id: span.name for span in trace.data.spans}
    return [
        (names.get(span.parent_id), span.name)
        for span in sorted(trace.data.spans, key=lambda span: span.start_time_ns)
    ]


# --- two services


@pytest.mark.parametrize(
    ("frontend", "backend"), [(WITHOUT_DELAY, {}), ({}, WITHOUT_DELAY)]
)
def test_services_that_both_export_have_one_trace_with_two_roots(
    run_services, frontend, backend
):
    """The trace is the same in whichever order the spans arrive."""
    (trace,) = run_services(TO_MLFLOW | frontend, TO_MLFLOW | backend)
    assert trace.info.state == "OK"
    assert trace.info.request_preview == QUESTION
    assert tree(trace) == [
        (None, "POST /ask"),
        ("POST /ask", "POST"),
        (None, "POST /answer"),
        ("POST /answer", CHAT),
    ]


@pytest.mark.parametrize(
    ("frontend", "backend"), [(WITHOUT_DELAY, {}), ({}, WITHOUT_DELAY)]
)
@pytest.mark.parametrize(("error", "state"), [({}, "OK"), (WITH_ERROR, "ERROR")])
def test_services_have_one_tree_without_remote_root_promotion(
    run_services, simulator, frontend, backend, error, state
):
    (trace,) = run_services(
        TO_MLFLOW | frontend | error,
        TO_MLFLOW | backend | WITHOUT_REMOTE_ROOT_PROMOTION,
    )
    assert tree(trace) == [
        (None, "POST /ask"),
        ("POST /ask", "POST"),
        ("POST", "POST /answer"),
        ("POST /answer", CHAT),
    ]
    assert (trace.info.state, trace.info.tags["mlflow.traceName"]) == (
        state,
        "POST /ask",
    )
    assert trace.info.request_preview == QUESTION
    assert trace.info.response_preview.startswith("On What does a refund take")
    (exchange,) = simulator.exchanges
    assert trace.info.token_usage["total_tokens"] == exchange.usage["total_tokens"]


def test_trace_is_complete_if_only_the_backend_exports(run_services):
    (trace,) = run_services(NOT_EXPORTED, TO_MLFLOW)
    assert tree(trace) == [(None, "POST /answer"), ("POST /answer", CHAT)]
    assert (trace.info.state, trace.info.tags["mlflow.traceName"]) == (
        "OK",
        "POST /answer",
    )
    assert trace.info.request_preview == QUESTION
    assert trace.info.response_preview.startswith("On What does a refund take")


# --- long traces


@pytest.fixture
def run_job(mlflow_uri, experiment, traces) -> Callable[..., Trace]:
    """A function that runs a function of long_job.py and returns its trace."""

    def run_job(job: str) -> Trace:
        process = subprocess.run(
            [sys.executable, LONG_JOB, job],
            env=ENVIRONMENT
            | {
                "MLFLOW_EXPERIMENT_NAME": experiment,
                "MLFLOW_TRACKING_URI": mlflow_uri,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )
        assert process.returncode == 0, process.stderr
        assert "Cannot export" not in process.stderr, process.stderr
        (trace,) = traces(experiment)
        return trace

    return run_job


@pytest.mark.parametrize("job", ["otel_spans", "mlflow_spans"])
def test_thousands_of_spans_are_one_trace(run_job, job):
    trace = run_job(job)
    (root,) = (span for span in trace.data.spans if span.parent_id is None)
    assert len(trace.data.spans) == 1 + 5_000
    assert {span.parent_id for span in trace.data.spans} == {None, root.span_id}
    assert (trace.info.state, trace.info.token_usage["total_tokens"]) == (
        "OK",
        5_000 * 3,
    )


def test_trace_may_take_hours(run_job):
    trace = run_job("six_hours")
    assert len(trace.data.spans) == 1 + 2
    assert trace.info.state == "OK"
    assert trace.info.execution_duration == 6 * 3_600_000
    assert trace.info.request_preview == "The first question?"
    assert trace.info.response_preview == "The last answer."
    assert trace.info.token_usage["total_tokens"] == 2 * 3
