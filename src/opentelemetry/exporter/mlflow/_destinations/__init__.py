"""Where spans go."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from opentelemetry.exporter.mlflow._config import (
    parse_seconds,
    read_setting,
    strip_uri_secrets,
)
from opentelemetry.exporter.mlflow._destinations._experiment import chosen
from opentelemetry.exporter.mlflow._destinations._protocol import (
    Destination,
    ExportError,
    TraceInfoReader,
)
from opentelemetry.exporter.mlflow._destinations._resolver import DestinationResolver
from opentelemetry.exporter.mlflow.environment_variables import (
    MLFLOW_TRACKING_URI,
    OTEL_EXPORTER_MLFLOW_ENDPOINT,
    OTEL_EXPORTER_MLFLOW_TIMEOUT,
)

if TYPE_CHECKING:
    from opentelemetry.exporter.mlflow._config import Setting
    from opentelemetry.exporter.mlflow._destinations._collector import Collector
    from opentelemetry.exporter.mlflow._destinations._resolver import Choice

__all__ = ["Destination", "ExportError", "TraceInfoReader", "create_destination"]

_DEFAULT_TIMEOUT = 30.0

_DATABRICKS = re.compile(r"databricks(://[^/:?#]*)?", re.IGNORECASE)
_DATABASES = ("mssql", "mysql", "postgresql", "sqlite")
# These are addresses of MLflow's registry of models.
_REGISTRIES = ("databricks-uc", "uc")


def create_destination(
    *,
    endpoint: str | None = None,
    tracking_uri: str | None,
    experiment_id: str | int | None,
    experiment_name: str | None,
    timeout: float | None,
) -> DestinationResolver | Collector:
    """Raises ValueError for a setting that cannot be meant, with its name.

    Raises ImportError for a local store without the package it takes.
    """
    limit = parse_seconds(
        read_setting(timeout, "timeout", OTEL_EXPORTER_MLFLOW_TIMEOUT), _DEFAULT_TIMEOUT
    )
    receiver = read_setting(endpoint, "endpoint", OTEL_EXPORTER_MLFLOW_ENDPOINT)
    if receiver.value:
        if not _is_http(receiver.value):
            raise ValueError(
                f"{receiver.name} takes the address of an OTLP/HTTP receiver, such as "
                f"http://localhost:4319, not {strip_uri_secrets(receiver.value)!r}"
            )
        from opentelemetry.exporter.mlflow._destinations._collector import Collector

        return Collector(receiver, limit)
    where = read_setting(tracking_uri, "tracking_uri", MLFLOW_TRACKING_URI)
    experiment = chosen(experiment_id, experiment_name)
    return DestinationResolver(
        None if where.value is None else where,
        experiment,
        lambda choice: _opened(choice, limit),
    )


def _opened(choice: Choice, timeout: float) -> Destination:
    where, experiment = choice
    uri = where.value or ""
    # `databricks` alone is an address, too; and a driver may follow a plus sign.
    scheme = uri.lower().partition(":")[0].partition("+")[0]
    if _is_http(uri):
        from opentelemetry.exporter.mlflow._destinations._server import Server

        return Server(uri, experiment, timeout)
    if scheme in _DATABASES and "://" in uri:
        from opentelemetry.exporter.mlflow._destinations._local_store import Store

        return Store(uri, experiment)
    if scheme == "databricks" and _DATABRICKS.fullmatch(uri):
        from opentelemetry.exporter.mlflow._destinations._databricks import (
            Databricks,
        )

        return Databricks(choice, timeout)
    raise ValueError(_objection(where, uri, scheme))


def _is_http(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
        is_http = parts.scheme in ("http", "https")
        return is_http and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        return False


def _objection(where: Setting, uri: str, scheme: str) -> str:
    if scheme in ("databricks", *_REGISTRIES):
        return (
            f"{where.name}: Databricks' address for traces is databricks, or "
            "databricks://profile for a profile of ~/.databrickscfg"
        )
    if scheme == "file" or not scheme.strip() or ":" not in uri:
        return (
            f"{where.name}: MLflow keeps no spans in files "
            f"({strip_uri_secrets(uri)!r}). "
            f"A store is sqlite:///mlflow.db, a server http://localhost:5000"
        )
    return (
        f"{where.name} takes the address of an MLflow server, such as "
        "http://localhost:5000, or of a database, such as sqlite:///mlflow.db, "
        f"not {strip_uri_secrets(uri)!r}"
    )
