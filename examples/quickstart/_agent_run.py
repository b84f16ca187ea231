"""Running a program under `opentelemetry-instrument`, telemetry by environment only."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

AGENT: Final = Path(__file__).with_name("agent.py")

# What a user would set. What is set already stays.
DEFAULTS: Final = {
    "OTEL_SERVICE_NAME": "weather-agent",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_LOGS_EXPORTER": "none",
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
}
EXPERIMENT: Final = "deepseek-quickstart"
# Attributes of the resource are tags of the trace in MLflow.
RUN: Final = "quickstart.run"


def environment(
    given: Mapping[str, str], chosen: Mapping[str, str], mark: str
) -> dict[str, str]:
    """`given` with the quickstart's settings: defaults give way, `chosen` wins.

    `mark` becomes an attribute of the resource, to find the trace by.
    """
    result = {**DEFAULTS, **given, "OTEL_TRACES_EXPORTER": "otlp,mlflow", **chosen}
    if not result.get("MLFLOW_EXPERIMENT_ID"):
        result.setdefault("MLFLOW_EXPERIMENT_NAME", EXPERIMENT)
    if base_url := result.get("DEEPSEEK_BASE_URL"):
        # A host that is not DeepSeek's has to be named as one that speaks its API.
        host = urlsplit(base_url).netloc
        result.setdefault("OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS", host)
    resource = filter(None, [result.get("OTEL_RESOURCE_ATTRIBUTES")])
    result["OTEL_RESOURCE_ATTRIBUTES"] = ",".join([*resource, f"{RUN}={mark}"])
    return result


def command_line(variables: Mapping[str, str]) -> str:
    """What a user would type."""
    exporters = variables["OTEL_TRACES_EXPORTER"]
    return f"OTEL_TRACES_EXPORTER={exporters} opentelemetry-instrument python agent.py"


def run(variables: Mapping[str, str], program: Path = AGENT) -> int:
    """Runs to the end, printing where we print. The exit code."""
    command = [instrument(), sys.executable, str(program)]
    return subprocess.run(command, env=dict(variables), check=False).returncode


def instrument() -> str:
    """`opentelemetry-instrument` beside the Python that runs this."""
    return str(Path(sysconfig.get_path("scripts")) / "opentelemetry-instrument")
