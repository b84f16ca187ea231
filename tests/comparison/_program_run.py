"""Runs a program with one of four tracing setups and reads its traces."""

from __future__ import annotations

import inspect
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from examples.quickstart import _agent_run
from examples.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Final

    from mlflow import MlflowClient
    from mlflow.entities import Trace

    from examples.simulator import Exchange

    from ._programs import Program

_HERE: Final = Path(__file__).parent
_SAMPLES: Final = _HERE.parent / "deepseek_samples"
_TIMEOUT_SECONDS: Final = 120
_INSTRUMENT: Final = (_agent_run.opentelemetry_instrument(), sys.executable)
# Without it, older pages ask for the kind of the experiment, above their tabs.
_EXPERIMENT_TAGS: Final = {"mlflow.experimentKind": "genai_development"}
SETUPS: Final = {
    "this package": "the instrumentation and the exporter of this package",
    "autolog": "`mlflow.openai.autolog()`, for LangChain `mlflow.langchain.autolog()`",
    "plain OTLP": "the instrumentation of this package, and OpenTelemetry's own OTLP "
    "exporter to MLflow's `/v1/traces`",
    "otel.autolog": "the instrumentation of this package, and `mlflow.otel.autolog()`, "
    "with which MLflow takes the spans of OpenTelemetry's instrumentations",
}


class NoResultError(RuntimeError):
    """A program failed, or MLflow has no trace of its calls; `reason` is one line."""

    def __init__(self, reason: str, log: str = "") -> None:
        super().__init__(f"{reason}\n{log}".strip())
        self.reason = reason


@dataclass(frozen=True)
class ProgramRun:
    """The HTTP exchanges and the traces in MLflow, both in chronological order."""

    program: Program
    experiment_id: str
    exchanges: list[Exchange]
    traces: list[Trace]


def run(
    setup: str,
    program: Program,
    client: MlflowClient,
    experiment: str,
    autolog_python: Path | None = None,
) -> ProgramRun:
    """Runs the program; raises NoResultError if it fails or no trace arrives.

    `autolog_python`: the Python of the programs with autolog, by default this one.
    """
    name = f"{program.file}, {setup}"
    experiment_id = client.create_experiment(experiment, tags=_EXPERIMENT_TAGS)
    with Simulator() as simulator:
        for file_name in program.response_files:
            simulator.answer_next(_SAMPLES / file_name)
        environment = _environment(setup, client.tracking_uri, experiment_id, simulator)
        command = _command(setup, program.library, autolog_python)
        with _service(command, program.service_file, environment) as address:
            process = subprocess.run(
                (*command, _HERE / "programs" / program.file),
                env=environment | {"BACKEND": address},
                capture_output=True,
                text=True,
                check=False,
                timeout=_TIMEOUT_SECONDS,
            )
        if process.returncode:
            raise NoResultError("the program fails", f"{name}:\n{process.stderr}")
        traces = search(client, experiment_id)
        if not traces:
            raise NoResultError("no trace arrives", f"{name}:\n{process.stderr}")
        traces = sorted(traces, key=lambda trace: trace.info.request_time)
        return ProgramRun(program, experiment_id, simulator.exchanges, traces)


def missing_in_mlflow(uri: str) -> dict[str, str]:
    """Returns the setups that the installed MLflow and its server do not have."""
    missing: dict[str, str] = {}
    if find_spec("mlflow.otel") is None:  # before MLflow 3.11
        missing["otel.autolog"] = "MLflow has no `mlflow.otel`"
    request = Request(f"{uri}/v1/traces", method="POST")
    try:
        urlopen(request, timeout=10).close()
    except HTTPError as error:
        if error.code in {404, 405}:  # before MLflow 3.6
            missing["plain OTLP"] = "MLflow has no `/v1/traces`"
    return missing


def search(
    client: MlflowClient, experiment_id: str, condition: str | None = None
) -> list[Trace]:
    # The parameter of MLflow before 3.5, which newer versions warn about.
    is_new = "locations" in inspect.signature(client.search_traces).parameters
    name = "locations" if is_new else "experiment_ids"
    experiments = {name: [experiment_id]}
    return list(client.search_traces(**experiments, filter_string=condition))


def _command(
    setup: str, library: str, autolog_python: Path | None
) -> tuple[str | Path, ...]:
    if setup == "autolog":
        python = autolog_python or sys.executable
        return (python, _HERE / "run_with_autolog.py", library)
    if setup == "otel.autolog":
        return (*_INSTRUMENT, _HERE / "run_with_autolog.py", "otel")
    return _INSTRUMENT


def _environment(
    setup: str, uri: str, experiment_id: str, simulator: Simulator
) -> dict[str, str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DEEPSEEK_", "MLFLOW_", "OTEL_"))
    }
    return {
        **inherited,
        "DEEPSEEK_BASE_URL": simulator.base_url,
        "MLFLOW_EXPERIMENT_ID": experiment_id,
        "MLFLOW_TRACKING_URI": uri,
        **_OTEL,
        **_telemetry(setup, uri, experiment_id),
        "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS": urlsplit(simulator.base_url).netloc,
    }


_OTEL: Final = {
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
    "OTEL_LOGS_EXPORTER": "none",
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_SERVICE_NAME": "comparison",
}


def _telemetry(setup: str, uri: str, experiment_id: str) -> Mapping[str, str]:
    match setup:
        case "this package":
            return {
                "OTEL_TRACES_EXPORTER": "mlflow",
                # Both services export to the same MLflow server.
                "OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT": "false",
            }
        case "plain OTLP":
            return {
                "OTEL_TRACES_EXPORTER": "otlp",
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{uri}/v1/traces",
                "OTEL_EXPORTER_OTLP_TRACES_HEADERS": (
                    f"x-mlflow-experiment-id={experiment_id}"
                ),
                "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
                # The MLflow instrumentor belongs to the exporter of this package.
                "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "mlflow",
            }
        case "otel.autolog":
            return {
                "OTEL_TRACES_EXPORTER": "none",
                "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "mlflow",
            }
        case _:
            return {}


@contextmanager
def _service(
    command: tuple[str | Path, ...], file: str | None, environment: dict[str, str]
) -> Iterator[str]:
    """Runs `file` as a service and yields its URL; without a file, an empty string."""
    if file is None:
        yield ""
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen(
        (*command, _HERE / "programs" / file, str(port)), env=environment
    ) as service:
        try:
            _wait_until_listening(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            service.send_signal(signal.SIGINT)


def _wait_until_listening(port: int) -> None:
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while not _is_listening(port) and time.monotonic() < deadline:
        time.sleep(0.1)


def _is_listening(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
