"""Runs the agent under `opentelemetry-instrument`, configured by its environment."""

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

# Variables of a typical deployment. Values in the environment take precedence.
DEFAULTS: Final = {
    "OTEL_SERVICE_NAME": "weather-agent",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_LOGS_EXPORTER": "none",
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
}
DEFAULT_EXPERIMENT: Final = "deepseek-quickstart"
# The resource attribute with the id of the run. In MLflow it is a tag of the trace.
RUN_ID_ATTRIBUTE: Final = "quickstart.run"


def agent_environment(
    inherited: Mapping[str, str], overrides: Mapping[str, str], run_id: str
) -> dict[str, str]:
    """Returns the environment of the agent.

    Precedence: `overrides`, `inherited`, DEFAULTS. The traces exporter is always
    `otlp,mlflow`. `run_id` becomes a resource attribute, by which the trace is found.
    """
    result = {
        **DEFAULTS,
        **inherited,
        "OTEL_TRACES_EXPORTER": "otlp,mlflow",
        **overrides,
    }
    if not result.get("MLFLOW_EXPERIMENT_ID"):
        result.setdefault("MLFLOW_EXPERIMENT_NAME", DEFAULT_EXPERIMENT)
    if base_url := result.get("DEEPSEEK_BASE_URL"):
        # Hosts other than DeepSeek's are instrumented only if they are listed.
        host = urlsplit(base_url).netloc
        result.setdefault("OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS", host)
    attributes = filter(None, [result.get("OTEL_RESOURCE_ATTRIBUTES")])
    result["OTEL_RESOURCE_ATTRIBUTES"] = ",".join(
        [*attributes, f"{RUN_ID_ATTRIBUTE}={run_id}"]
    )
    return result


def command_line(variables: Mapping[str, str]) -> str:
    """Returns the command that a user would type."""
    exporters = variables["OTEL_TRACES_EXPORTER"]
    return f"OTEL_TRACES_EXPORTER={exporters} opentelemetry-instrument python agent.py"


def run(variables: Mapping[str, str], program: Path = AGENT) -> int:
    """Runs the program with inherited output; returns its exit code."""
    command = [opentelemetry_instrument(), sys.executable, str(program)]
    return subprocess.run(command, env=dict(variables), check=False).returncode


def opentelemetry_instrument() -> str:
    """Returns the path of `opentelemetry-instrument` in the current environment."""
    return str(Path(sysconfig.get_path("scripts")) / "opentelemetry-instrument")
