"""The variables that `opentelemetry-instrument` takes as options.

Nothing but this command imports this module, before it starts the program. It logs
which exporters OpenTelemetry will not find: once its configurator has failed in the
program, no code of this package is executed any more.
"""

from __future__ import annotations

import logging
import os
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final

from opentelemetry.exporter.mlflow import environment_variables
from opentelemetry.exporter.mlflow._configured_exporters import (
    TRACES_EXPORTER,
    exporter_names,
    exporter_problems,
)
from opentelemetry.exporter.mlflow.environment_variables import *  # noqa: F403  # the options of the command

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_logger = logging.getLogger("opentelemetry.exporter.mlflow")

# The configurator of opentelemetry-distro. Others have other defaults.
_CONFIGURATORS: Final = {"configurator"}
# Then the variables of the exporters have no effect.
_OTHER_CONFIGURATION: Final = (
    "OTEL_CONFIG_FILE",
    "OTEL_PYTHON_CONFIGURATOR",
    "OTEL_PYTHON_DISTRO",
)


def log_messages(
    environment: Mapping[str, str], arguments: Sequence[str]
) -> Iterator[str]:
    """Yield what keeps spans from MLflow; `arguments` are those of the command."""
    if (
        set(entry_points(group="opentelemetry_configurator").names) != _CONFIGURATORS
        or any(environment.get(name) for name in _OTHER_CONFIGURATION)
        or environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
        # As an option, a variable is not in the environment yet.
        or any("exporter" in argument for argument in arguments)
    ):
        return
    if problems := list(exporter_problems(environment)):
        yield (
            "OpenTelemetry will not start, and nothing will be recorded: "
            + " ".join(problems)
        )
    elif (
        environment.get(environment_variables.MLFLOW_TRACKING_URI)
        and not environment.get(TRACES_EXPORTER)
        and "mlflow" not in exporter_names(environment, TRACES_EXPORTER)
    ):
        yield (
            f"{environment_variables.MLFLOW_TRACKING_URI} is set, but no spans are "
            f"exported to MLflow, because {TRACES_EXPORTER} is not set. Set it to "
            "mlflow, to otlp,mlflow, or to otlp if that is right."
        )


for _message in log_messages(os.environ, sys.argv[1:]):
    _logger.warning(_message)
