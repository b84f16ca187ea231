"""What an MLflow server says of itself and of the experiment, without a write."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.mlflow._destinations import ExportError
from opentelemetry.exporter.mlflow._destinations._connection import connection_settings
from opentelemetry.exporter.mlflow._destinations._connection_errors import (
    MLFLOW_SETTING_NAMES,
    export_error_from_exception,
    plain_http_error,
)
from opentelemetry.exporter.mlflow._destinations._error_messages import (
    export_error_from_response,
)
from opentelemetry.exporter.mlflow._destinations._http import MlflowSession
from opentelemetry.exporter.mlflow._destinations._otlp import json_body
from opentelemetry.exporter.mlflow._destinations._server_version import (
    MINIMUM_VERSION,
    features_of,
    is_too_old,
)
from opentelemetry.exporter.mlflow.environment_variables import MLFLOW_EXPERIMENT_NAME

if TYPE_CHECKING:
    import requests

    from opentelemetry.exporter.mlflow._diagnosis._configuration import Configuration


class ServerCheck:
    """Asks the server of `configuration`. The methods raise ExportError."""

    def __init__(self, configuration: Configuration) -> None:
        self._address = configuration.destination.address
        self._experiment = configuration.experiment
        self._timeout = configuration.timeout
        self._version = ""
        self._session = MlflowSession(
            *connection_settings(configuration.uri.value or "")
        )

    def describe_version(self) -> str:
        response = self._get("version")
        features = features_of(response.text)
        if response.status_code == HTTPStatus.OK and features:
            if is_too_old(features.version):
                raise ExportError(
                    f"MLflow {features.version} is too old",
                    f"Upgrade the server to version {MINIMUM_VERSION} or newer",
                )
            self._version = features.version or ""
            return f"MLflow {features.version} responds ({features.method})"
        if response.status_code == HTTPStatus.NOT_FOUND:
            return "a server responds, but does not say its version (404)"
        raise self._export_error(response, "")

    @property
    def names_traces(self) -> bool:
        """Whether the server gives a trace another id than that of its spans."""
        return self._version.startswith("3.1.")

    def describe_experiment(self) -> str:
        experiment = self._experiment
        if experiment.id is None:
            response = self._get(
                "api/2.0/mlflow/experiments/get-by-name",
                experiment_name=experiment.name,
            )
        else:
            response = self._get(
                "api/2.0/mlflow/experiments/get", experiment_id=experiment.id
            )
        match json_body(response):
            case {"experiment": {"lifecycle_stage": "deleted"}}:
                raise ExportError(
                    f"experiment {experiment.label} is deleted",
                    "Restore it (mlflow experiments restore), or set "
                    f"{MLFLOW_EXPERIMENT_NAME} to another one",
                )
            case {"experiment": {"experiment_id": str(number), "name": str(name)}}:
                return f"experiment {number} exists, its name is {name!r}"
            case {"error_code": "RESOURCE_DOES_NOT_EXIST"} if experiment.id is None:
                return (
                    f"experiment {experiment.label} does not exist; it is created "
                    "before the first spans are sent"
                )
            case {"error_code": str(error_code)} if error_code.isidentifier():
                raise self._export_error(response, error_code)
            case _:
                raise self._export_error(response, "")

    def close(self) -> None:
        self._session.close()

    def _get(self, path: str, **parameters: str) -> requests.Response:
        url = f"{self._address}/{path}"
        request: dict[str, Any] = {"params": parameters, "timeout": self._timeout}
        try:
            response = self._session.request("GET", url, **request)
        except OSError as error:
            raise export_error_from_exception(error, self._timeout) from error
        if export_error := plain_http_error(response, MLFLOW_SETTING_NAMES):
            raise export_error
        return response

    def _export_error(self, response: requests.Response, code: str) -> ExportError:
        return export_error_from_response(
            response.status_code, code, self._experiment.label, is_span_request=False
        )
