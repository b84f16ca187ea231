"""A trace that several processes make, that is large, or that takes long."""

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
AT_ONCE = {"OTEL_BSP_SCHEDULE_DELAY": "1"}
NOT_THE_ROOT = {"OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT": "false"}
TO_MLFLOW = {"OTEL_TRACES_EXPORTER": "mlflow"}
FAILING = {"FAILS": "1"}
ELSEWHERE = {"OTEL_TRACES_EXPORTER": "none"}


@pytest.fixture
def experiment() -> str:
    return f"distributed {uuid.uuid4()}"


@pytest.fixture
def asked(mlflow_uri, simulator, experiment, traces) -> Callable[..., list[Trace]]:
    """What MLflow has after one question to a front service that asks a back one."""

    @contextmanager
    def service(**variables: str) -> Iterator[str]:
        """Its address; once it is left, the service is over and its spans are sent."""
        with subprocess.Popen(
            [_agent_run.instrument(), sys.executable, SERVICE],
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

    def asked(front: dict[str, str], back: dict[str, str]) -> list[Trace]:
        with service(**back) as answering:
            address = f"{answering}/answer"
            with service(NEXT=address, **front) as asking, suppress(HTTPError):
                request = urllib.request.Request(
                    f"{asking}/ask", QUESTION.encode(), method="POST"
                )
                with urllib.request.urlopen(request, timeout=60) as answer:
                    assert answer.status == 200
        return traces(experiment)

    return asked


def tree(trace: Trace) -> list[tuple[str | None, str]]:
    names = {span.span_id: span.name for span in trace.data.spans}
    return [
        (names.get(span.parent_id), span.name)
        for span in sorted(trace.data.spans, key=lambda span: span.start_time_ns)
    ]


# --- two services


@pytest.mark.parametrize(("front", "back"), [(AT_ONCE, {}), ({}, AT_ONCE)])
def test_services_that_both_export_make_one_trace(asked, front, back):
    """Whoever's spans arrive first. Without a word, it is one trace of two pieces."""
    (trace,) = asked(TO_MLFLOW | front, TO_MLFLOW | back)
    assert trace.info.state == "OK"
    assert trace.info.request_preview == QUESTION
    assert tree(trace) == [
        (None, "POST /ask"),
        ("POST /ask", "POST"),
        (None, "POST /answer"),
        ("POST /answer", CHAT),
    ]


@pytest.mark.parametrize(("front", "back"), [(AT_ONCE, {}), ({}, AT_ONCE)])
@pytest.mark.parametrize(("end", "state"), [({}, "OK"), (FAILING, "ERROR")])
def test_where_the_caller_is_known_to_export_it_is_one_tree(
    asked, simulator, front, back, end, state
):
    (trace,) = asked(TO_MLFLOW | front | end, TO_MLFLOW | back | NOT_THE_ROOT)
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


def test_where_only_the_service_behind_exports_the_trace_is_whole(asked):
    (trace,) = asked(ELSEWHERE, TO_MLFLOW)
    assert tree(trace) == [(None, "POST /answer"), ("POST /answer", CHAT)]
    assert (trace.info.state, trace.info.tags["mlflow.traceName"]) == (
        "OK",
        "POST /answer",
    )
    assert trace.info.request_preview == QUESTION
    assert trace.info.response_preview.startswith("On What does a refund take")


# --- much and long


@pytest.fixture
def told(mlflow_uri, experiment, traces) -> Callable[..., Trace]:
    """The trace that a program of a few lines makes in a process of its own."""

    def told(program: str) -> Trace:
        done = subprocess.run(
            [sys.executable, LONG_JOB, program],
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
        assert done.returncode == 0, done.stderr
        assert "reach MLflow" not in done.stderr, done.stderr
        (trace,) = traces(experiment)
        return trace

    return told


@pytest.mark.parametrize("program", ["plain", "of_mlflow"])
def test_thousands_of_spans_are_one_trace(told, program):
    trace = told(program)
    (root,) = (span for span in trace.data.spans if span.parent_id is None)
    assert len(trace.data.spans) == 1 + 5_000
    assert {span.parent_id for span in trace.data.spans} == {None, root.span_id}
    assert (trace.info.state, trace.info.token_usage["total_tokens"]) == (
        "OK",
        5_000 * 3,
    )


def test_hours_may_pass_between_the_first_span_and_the_last(told):
    trace = told("slow")
    assert len(trace.data.spans) == 1 + 2
    assert trace.info.state == "OK"
    assert trace.info.execution_duration == 6 * 3_600_000
    assert trace.info.request_preview == "What was asked first?"
    assert trace.info.response_preview == "What was answered last."
    assert trace.info.token_usage["total_tokens"] == 2 * 3
