"""Runs a program with MLflow's autolog, and with this package in two ways."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from mlflow import MlflowClient
from mlflow.tracing.processor.base_mlflow import BaseMlflowSpanProcessor

from examples.otlp_receiver import OtlpReceiver
from examples.quickstart import _agent_run
from examples.quickstart.mlflow_server import MlflowServer
from examples.simulator import Simulator
from tests.e2e.conftest import ENVIRONMENT
from tests.mlflow_versions._server_environment import client_version, server_python

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlflow.entities import Trace

# The name of the argument depends on the version of MLflow.
LOCATIONS = next(
    name
    for name in ("locations", "experiment_ids")
    if name in inspect.signature(MlflowClient.search_traces).parameters
)
PROGRAM = Path(__file__).with_name("program.py")
_RECORDS_BY_ITSELF = "super().__init__(" in inspect.getsource(
    BaseMlflowSpanProcessor.__init__
)
# Its server, which other tests use, too, needs this version of MLflow.
_QUICKSTART_MINIMUM = (3, 16)


@dataclass(frozen=True)
class ProgramRun:
    """`other_traces` are those in the other experiment of the program."""

    experiment: str
    traces: list[Trace]
    other_traces: list[Trace]
    printed: dict[str, Any]
    errors: str
    receiver: OtlpReceiver
    simulator: Simulator

    @property
    def trace(self) -> Trace:
        (trace,) = self.traces
        return trace

    @property
    def questions(self) -> list[str]:
        """The questions that MLflow shows, sorted."""
        return questions(self.traces)


@pytest.fixture(scope="session")
def autolog_runs() -> dict[tuple[str, str], ProgramRun]:
    """The runs with autolog, by the program and its place."""
    return {}


@pytest.fixture
def run_beside_autolog(
    run_program: Callable[..., ProgramRun],
    autolog_runs: dict[tuple[str, str], ProgramRun],
) -> Callable[..., list[ProgramRun]]:
    """A function that runs a program with a recorder, and before with autolog.

    With today's OpenTelemetry, the oldest versions of MLflow lose what autolog records.
    """

    def run(recorder: str, program: str, place: str) -> list[ProgramRun]:
        run = run_program(recorder, program, place)
        if not _RECORDS_BY_ITSELF:
            return [run]
        key = program, place
        if key not in autolog_runs:
            autolog_runs[key] = run_program("autolog", program, place)
        return [autolog_runs[key], run]

    return run


def questions(traces: list[Trace]) -> list[str]:
    return sorted(
        message["content"]
        for trace in traces
        for span in trace.data.spans
        if span.span_type == "CHAT_MODEL"
        for message in (span.inputs or {}).get("messages", ())
    )


@pytest.fixture(scope="session")
def mlflow_uri(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A server of the version of the installed client."""
    minor_version = tuple(map(int, client_version().split(".")[:2]))
    if minor_version >= _QUICKSTART_MINIMUM:
        yield request.getfixturevalue("running_quickstart").uri
        return
    python = server_python(client_version())
    with MlflowServer(tmp_path_factory.mktemp("mlflow"), python=python) as server:
        yield server.uri


@pytest.fixture(params=["instrument", "opentelemetry-instrument"])
def recorder(request) -> str:
    return request.param


@pytest.fixture
def run_program(mlflow_uri) -> Callable[..., ProgramRun]:
    """A function that runs a program with a recorder.

    `place` is `call`, or `agent` for a call beneath `@mlflow.trace`.
    """

    def run(
        recorder: str, program: str, place: str = "call", **variables: str
    ) -> ProgramRun:
        experiment = f"fluent {uuid.uuid4()}"
        other_experiment = f"{experiment} other"
        is_automatic = recorder == "opentelemetry-instrument"
        command = [
            sys.executable,
            str(PROGRAM),
            "none" if is_automatic else recorder,
            program,
            place,
        ]
        if is_automatic:
            command.insert(0, _agent_run.opentelemetry_instrument())
        with Simulator() as simulator, OtlpReceiver() as receiver:
            process = subprocess.run(
                command,
                env=ENVIRONMENT
                | {
                    "DEEPSEEK_BASE_URL": simulator.base_url,
                    "MLFLOW_EXPERIMENT_NAME": experiment,
                    "MLFLOW_TRACKING_URI": mlflow_uri,
                    "OTHER_EXPERIMENT": other_experiment,
                    "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS": urlsplit(
                        simulator.base_url
                    ).netloc,
                    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
                    "OTEL_METRICS_EXPORTER": "none",
                }
                | (
                    {}
                    if recorder == "autolog"
                    else {
                        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
                        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
                        "OTEL_TRACES_EXPORTER": "otlp,mlflow",
                    }
                )
                | variables,
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
            assert process.returncode == 0, process.stderr
            assert "Cannot export" not in process.stderr, process.stderr
            printed: dict[str, Any] = {}
            for line in process.stdout.splitlines():
                if line.startswith("{"):
                    printed |= json.loads(line)
        return ProgramRun(
            experiment,
            read_traces(mlflow_uri, experiment),
            read_traces(mlflow_uri, other_experiment),
            printed,
            process.stderr,
            receiver,
            simulator,
        )

    return run


def read_traces(mlflow_uri: str, experiment_name: str, **filters: str) -> list[Trace]:
    """The traces in the order of their start."""
    client = MlflowClient(mlflow_uri)
    with pytest.MonkeyPatch.context() as patch:
        # Old versions read spans from artifacts, whose URIs are relative to it.
        patch.setenv("MLFLOW_TRACKING_URI", mlflow_uri)
        experiment = client.get_experiment_by_name(experiment_name)
        if experiment is None:
            return []
        locations = {LOCATIONS: [experiment.experiment_id]}
        traces = client.search_traces(**locations, **filters)
    return sorted(traces, key=lambda trace: trace.info.request_time)


def otel_trace_id(trace: Trace) -> str:
    """OpenTelemetry's trace id; a server of MLflow 3.1 chooses another one."""
    trace_id: str = trace.info.tags.get("opentelemetry.trace_id", trace.info.trace_id)
    return trace_id.removeprefix("tr-")
