"""A program, run in one of three ways, and what came of it in MLflow."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

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
_SECONDS: Final = 120
_INSTRUMENT: Final = (_agent_run.instrument(), sys.executable)
WAYS: Final = {
    "ours": "our instrumentation and our exporter",
    "autolog": "`mlflow.openai.autolog()`, for LangChain `mlflow.langchain.autolog()`",
    "plain OTLP": "our instrumentation and OpenTelemetry's own OTLP exporter, to "
    "MLflow's `/v1/traces`",
}


@dataclass(frozen=True)
class Ran:
    """What went over the wire, and what MLflow has of it; both in order of time."""

    program: Program
    experiment_id: str
    exchanges: list[Exchange]
    traces: list[Trace]


def run(way: str, program: Program, client: MlflowClient, experiment: str) -> Ran:
    """Raises RuntimeError where the program fails or nothing arrives."""
    experiment_id = client.create_experiment(experiment)
    with Simulator() as simulator:
        for answer in program.answers:
            simulator.answer_next(_SAMPLES / answer)
        environment = _environment(way, client.tracking_uri, experiment_id, simulator)
        command = _command(way, program.library)
        with _beside(command, program.beside, environment) as address:
            done = subprocess.run(
                (*command, _HERE / "programs" / program.file),
                env=environment | {"BACKEND": address},
                capture_output=True,
                text=True,
                check=False,
                timeout=_SECONDS,
            )
        if done.returncode:
            raise RuntimeError(f"{program.file}, {way}:\n{done.stderr}")
        found = client.search_traces(locations=[experiment_id])
        if not found:
            raise RuntimeError(f"{program.file}, {way}: no trace\n{done.stderr}")
        traces = sorted(found, key=lambda trace: trace.info.request_time)
        return Ran(program, experiment_id, simulator.exchanges, traces)


def _command(way: str, library: str) -> tuple[str | Path, ...]:
    if way == "autolog":
        return (sys.executable, _HERE / "autolog.py", library)
    return _INSTRUMENT


def _environment(
    way: str, uri: str, experiment_id: str, simulator: Simulator
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
        **_telemetry(way, uri, experiment_id),
        "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS": urlsplit(simulator.base_url).netloc,
    }


_OTEL: Final = {
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
    "OTEL_LOGS_EXPORTER": "none",
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_SERVICE_NAME": "comparison",
}


def _telemetry(way: str, uri: str, experiment_id: str) -> Mapping[str, str]:
    match way:
        case "ours":
            return {
                "OTEL_TRACES_EXPORTER": "mlflow",
                # Both of two services export to this MLflow.
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
                # It comes with our exporter.
                "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "mlflow",
            }
        case _:
            return {}


@contextmanager
def _beside(
    command: tuple[str | Path, ...], file: str | None, environment: dict[str, str]
) -> Iterator[str]:
    """The address of `file` as a service; without a file there is none."""
    if file is None:
        yield ""
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        (*command, _HERE / "programs" / file, str(port)), env=environment
    ) as service:
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            service.send_signal(signal.SIGINT)


def _wait_for(port: int) -> None:
    ends = time.monotonic() + _SECONDS
    while not _answers(port) and time.monotonic() < ends:
        time.sleep(0.1)


def _answers(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0
