"""Runs a program with a client, and reads its trace back from a server."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from examples.otlp_receiver import OtlpReceiver
from examples.simulator import Simulator

if TYPE_CHECKING:
    from typing import Final

    from examples.otlp_receiver import Span
    from examples.simulator import Exchange

    from ._programs import Program

_PROGRAMS: Final = Path(__file__).with_name("programs")
_TIMEOUT_SECONDS: Final = 120


@dataclass(frozen=True)
class Run:
    """What a program did, what arrived at OTLP and what MLflow has.

    `traces` has a dictionary for each trace, as `programs/read_back.py` prints it.
    """

    program: Program
    experiment_id: str
    exit_code: int
    log: str
    exchanges: list[Exchange]
    otlp_spans: list[Span]
    traces: list[dict[str, Any]]
    searched_spans: dict[str, int]
    uri: str


def run(program: Program, client: Path, uri: str) -> Run:
    """Runs the program with the Python `client` and reads its traces with it, too."""
    experiment = f"{program.file} {time.time_ns()}"
    with Simulator() as simulator, OtlpReceiver() as receiver:
        process = subprocess.run(
            (
                client.parent / "opentelemetry-instrument",
                client,
                _PROGRAMS / program.file,
            ),
            env=_environment()
            | {
                "DEEPSEEK_BASE_URL": simulator.base_url,
                "MLFLOW_EXPERIMENT_NAME": experiment,
                "MLFLOW_TRACKING_URI": uri,
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
                "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
                "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS": urlsplit(
                    simulator.base_url
                ).netloc,
                "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
                "OTEL_LOGS_EXPORTER": "none",
                "OTEL_METRICS_EXPORTER": "none",
                "OTEL_SERVICE_NAME": "mlflow-versions",
                "OTEL_TRACES_EXPORTER": "otlp,mlflow",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_SECONDS,
        )
    result = _read_back(client, uri, experiment)
    return Run(
        program=program,
        experiment_id=result["experiment_id"] or "",
        exit_code=process.returncode,
        log=process.stderr,
        exchanges=simulator.exchanges,
        otlp_spans=receiver.spans,
        traces=result["traces"],
        searched_spans=result["searched_spans"],
        uri=uri,
    )


def _read_back(client: Path, uri: str, experiment: str) -> dict[str, Any]:
    process = subprocess.run(
        (client, _PROGRAMS / "read_back.py", uri, experiment),
        # By default a trace without its spans takes minutes.
        env=_environment() | {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_SECONDS,
    )
    if process.returncode:
        raise RuntimeError(f"read_back.py:\n{process.stderr}")
    result: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return result


def _environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COVERAGE_", "DEEPSEEK_", "MLFLOW_", "OTEL_"))
    }
