"""The artifact of a trace on an MLflow server: the file with its spans.

The server passes it on to its storage, or names the storage. Then MLflow's own client
connects to the storage, with the credentials of this process.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from opentelemetry.exporter.mlflow._destinations._protocol import ExportError

if TYPE_CHECKING:
    from opentelemetry.exporter.mlflow._destinations._rest_api import MlflowRestApi

_PROXY_SCHEME: Final = "mlflow-artifacts"
_PROXY_PATH: Final = "api/2.0/mlflow-artifacts/artifacts"
_FILE_NAME: Final = "traces.json"
_NO_FILE_STATUSES: Final = (HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST)

# The tag of a trace with the location of its artifacts.
ARTIFACT_LOCATION: Final = "mlflow.artifactLocation"


class TraceArtifacts:
    """`location` is the folder of a trace. The methods raise ExportError."""

    def __init__(self, api: MlflowRestApi) -> None:
        self._api = api

    def write(self, location: str, content: bytes) -> None:
        if path := _proxy_path(location):
            response = self._api.request("PUT", path, data=content)
            if response.status_code != HTTPStatus.OK:
                raise self._api.export_error(response)
        else:
            write_to_storage(location, content)

    def read(self, location: str) -> bytes | None:
        """Return None if there is no file."""
        if path := _proxy_path(location):
            response = self._api.request("GET", path)
            if response.status_code == HTTPStatus.OK:
                return response.content
            if response.status_code in _NO_FILE_STATUSES:
                return None
            raise self._api.export_error(response)
        return read_from_storage(location)


def write_to_storage(location: str, content: bytes) -> None:
    """Write the file with MLflow's own client. Raises ExportError."""
    try:
        _repository(location).upload_trace_data(content.decode())
    except Exception as error:
        raise _storage_error(error) from error


def read_from_storage(location: str) -> bytes | None:
    """Return None if there is no file, or if it cannot be read."""
    try:
        return json.dumps(_repository(location).download_trace_data()).encode()
    except Exception:  # noqa: BLE001  # each storage has errors of its own
        return None


def _proxy_path(location: str) -> str | None:
    """Return None for a location that is not behind the server."""
    parts = urlsplit(location)
    if parts.scheme != _PROXY_SCHEME:
        return None
    return f"{_PROXY_PATH}/{quote(parts.path.strip('/'))}/{_FILE_NAME}"


def _repository(location: str) -> Any:
    # Not in MLflow's public reference. MLflow's own client stores traces with it. Its
    # public functions for artifacts take runs, and not traces.
    from mlflow.store.artifact.artifact_repository_registry import (
        get_artifact_repository,
    )

    return get_artifact_repository(location)


def _storage_error(error: Exception) -> ExportError:
    # The message of the error may have the credentials of the storage.
    return ExportError(
        "the trace info is stored, but the spans cannot be stored "
        f"({type(error).__name__})",
        "Start the server with --serve-artifacts, or install mlflow here and the "
        "package of the storage, and allow this process to write to it",
    )
