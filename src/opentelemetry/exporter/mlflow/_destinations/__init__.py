"""Destinations of spans: an MLflow server, a local store, Databricks, a collector."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from opentelemetry.exporter.mlflow._config import (
    parse_seconds,
    read_setting,
    strip_uri_secrets,
)
from opentelemetry.exporter.mlflow._destinations._deadline import (
    exit_clock,
    export_deadline,
)
from opentelemetry.exporter.mlflow._destinations._experiment import (
    configured_experiment,
)
from opentelemetry.exporter.mlflow._destinations._protocol import (
    Destination,
    ExportError,
    ExportInterruptedError,
    TraceInfoReader,
)
from opentelemetry.exporter.mlflow._destinations._resolver import DestinationResolver
from opentelemetry.exporter.mlflow._missing_package import require_extra
from opentelemetry.exporter.mlflow.environment_variables import (
    MLFLOW_TRACKING_URI,
    OTEL_EXPORTER_MLFLOW_ENDPOINT,
    OTEL_EXPORTER_MLFLOW_TIMEOUT,
)

if TYPE_CHECKING:
    from opentelemetry.exporter.mlflow._config import Setting
    from opentelemetry.exporter.mlflow._destinations._collector import (
        CollectorDestination,
    )
    from opentelemetry.exporter.mlflow._destinations._protocol import (
        ResolvedDestination,
    )
    from opentelemetry.exporter.mlflow._destinations._resolver import Target

__all__ = [
    "Destination",
    "ExportError",
    "ExportInterruptedError",
    "TraceInfoReader",
    "create_destination",
    "exit_clock",
    "export_deadline",
    "export_timeout",
]

_DEFAULT_TIMEOUT_SECONDS = 10.0

_DATABRICKS_URI = re.compile(r"databricks(://[^/:?#]*)?", re.IGNORECASE)
_DATABASE_SCHEMES = ("mssql", "mysql", "postgresql", "sqlite")
# URIs with these schemes are valid for MLflow's model registry, but not for traces.
_REGISTRY_SCHEMES = ("databricks-uc", "uc")


def export_timeout(timeout: float | None) -> float:
    """Return the limit of one export in seconds.

    Raises ValueError if it is not a finite number greater than 0.
    """
    return parse_seconds(
        read_setting(timeout, "timeout", OTEL_EXPORTER_MLFLOW_TIMEOUT),
        _DEFAULT_TIMEOUT_SECONDS,
    )


def create_destination(
    *,
    endpoint: str | None = None,
    tracking_uri: str | None,
    experiment_id: str | int | None,
    experiment_name: str | None,
    timeout: float | None,
) -> DestinationResolver | CollectorDestination:
    """Return the destination that the arguments and the environment select.

    Raises ValueError if a setting is invalid; the message names the setting and the
    accepted values. Raises ImportError if the destination requires a package that is
    not installed.
    """
    timeout_seconds = export_timeout(timeout)
    endpoint_setting = read_setting(endpoint, "endpoint", OTEL_EXPORTER_MLFLOW_ENDPOINT)
    if endpoint_setting.value:
        if not _is_http(endpoint_setting.value):
            raise ValueError(
                f"{endpoint_setting.name} must be the URL of an OTLP/HTTP receiver, "
                "for example http://localhost:4319; got "
                f"{strip_uri_secrets(endpoint_setting.value)!r}"
            )
        with require_extra("mlflow", "Exporting to an OTLP receiver"):
            from opentelemetry.exporter.mlflow._destinations._collector import (
                CollectorDestination,
            )

        return CollectorDestination(endpoint_setting, timeout_seconds)
    uri_setting = read_setting(tracking_uri, "tracking_uri", MLFLOW_TRACKING_URI)
    experiment = configured_experiment(experiment_id, experiment_name)
    return DestinationResolver(
        None if uri_setting.value is None else uri_setting,
        experiment,
        lambda target: _open_destination(target, timeout_seconds),
    )


def _open_destination(target: Target, timeout: float) -> ResolvedDestination:
    uri = target.tracking_uri.value or ""
    # The scheme may be the whole URI (`databricks`). A driver may follow a plus sign.
    scheme = uri.lower().partition(":")[0].partition("+")[0]
    if _is_http(uri):
        with require_extra("mlflow", "Exporting to an MLflow server"):
            from opentelemetry.exporter.mlflow._destinations._server import (
                MlflowServerDestination,
            )

        return MlflowServerDestination(uri, target.experiment, timeout)
    if scheme in _DATABASE_SCHEMES and "://" in uri:
        with require_extra("mlflow", "Exporting to a local store"):
            from opentelemetry.exporter.mlflow._destinations._local_store import (
                LocalStoreDestination,
            )

        return LocalStoreDestination(uri, target.experiment)
    if scheme == "databricks" and _DATABRICKS_URI.fullmatch(uri):
        with require_extra("databricks", "Exporting to Databricks"):
            from opentelemetry.exporter.mlflow._destinations._databricks import (
                DatabricksDestination,
            )

        return DatabricksDestination(target, timeout)
    raise ValueError(_invalid_uri_message(target.tracking_uri, uri, scheme))


def _is_http(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
        is_http = parts.scheme in ("http", "https")
        return is_http and bool(parts.hostname) and parts.port != 0
    except ValueError:  # The port is not a number.
        return False


def _invalid_uri_message(setting: Setting, uri: str, scheme: str) -> str:
    if scheme in ("databricks", *_REGISTRY_SCHEMES):
        return (
            f"{setting.name} must be databricks to export to Databricks, or "
            "databricks://profile for a profile of ~/.databrickscfg"
        )
    accepted = (
        f"{setting.name} must be the URL of an MLflow server, for example "
        "http://localhost:5000, or of a database, for example sqlite:///mlflow.db"
    )
    if scheme == "file" or not scheme.strip() or ":" not in uri:
        accepted += " (MLflow does not store spans in files)"
    return f"{accepted}; got {strip_uri_secrets(uri)!r}"
