"""MLflow's REST API: experiments, and TraceInfo."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, cast

from opentelemetry.exporter.mlflow import environment_variables as env
from opentelemetry.exporter.mlflow._destinations._connection_errors import (
    MLFLOW_SETTING_NAMES,
    export_error_from_exception,
    plain_http_error,
)
from opentelemetry.exporter.mlflow._destinations._error_messages import (
    WRONG_PATH_STATUSES,
    export_error_from_response,
)
from opentelemetry.exporter.mlflow._destinations._experiment import ExistingExperiment
from opentelemetry.exporter.mlflow._destinations._otlp import (
    json_body,
    retry_after_seconds,
)
from opentelemetry.exporter.mlflow._destinations._protocol import ExportError
from opentelemetry.exporter.mlflow._destinations._server_version import (
    MINIMUM_VERSION,
    is_too_old,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

    from opentelemetry.exporter.mlflow._destinations._http import MlflowSession

_TRACES_PATH: Final = "3.0/mlflow/traces"
_NO_PATH_STATUSES: Final = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)


class MlflowRestApi:
    """The requests raise ExportError. Implements `ExperimentStore`.

    `experiment_label` and `server_version` are for the texts of errors.
    """

    def __init__(
        self,
        session: MlflowSession,
        address: str,
        timeout: float,
        experiment_label: str,
        server_version: Callable[[], str | None],
    ) -> None:
        self._session = session
        self._address = address
        self._timeout = timeout
        self._experiment_label = experiment_label
        self._server_version = server_version

    def read_trace_info(self, trace_id: str) -> Mapping[str, Any] | None:
        """Return the TraceInfo in its JSON form.

        Returns None if there is no such trace, or no such path: before version 3.2.
        """
        response = self.request("GET", f"api/{_TRACES_PATH}/{trace_id}")
        body: Any = json_body(response)
        match body:
            case {"trace": {"trace_info": {}}}:
                return cast("dict[str, Any]", body["trace"]["trace_info"])
            case {"error_code": "RESOURCE_DOES_NOT_EXIST"}:
                return None
            case {"error_code": _}:
                raise self.export_error(response)
            case _ if response.status_code in _NO_PATH_STATUSES:
                return None
            case _:
                raise self.export_error(response)

    def start_trace(self, trace_info: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Create or update a trace; return its TraceInfo in its JSON form.

        Returns None if the server has no such path: it is older than 3.2.
        """
        response = self.request(
            "POST", f"api/{_TRACES_PATH}", json={"trace": {"trace_info": trace_info}}
        )
        body: Any = json_body(response)
        match body:
            case {"trace": {"trace_info": {}}}:
                return cast("dict[str, Any]", body["trace"]["trace_info"])
            case {"error_code": _}:
                raise self.export_error(response, is_span_request=True)
            case _ if response.status_code in _NO_PATH_STATUSES:
                return None
            case _:
                raise self.export_error(response, is_span_request=True)

    def start_trace_v2(
        self,
        *,
        experiment_id: str,
        timestamp_ms: int,
        metadata: Mapping[str, str],
        tags: Mapping[str, str],
    ) -> dict[str, Any]:
        """Return the id and the tags of the new trace: `trace_id` and `tags`."""
        trace_info = self._write_trace_v2(
            "POST",
            "",
            {
                "experiment_id": experiment_id,
                "timestamp_ms": timestamp_ms,
                "request_metadata": _entries(metadata),
                "tags": _entries(tags),
            },
        )
        stored_tags = {tag["key"]: tag["value"] for tag in trace_info["tags"]}
        return {"trace_id": trace_info["request_id"], "tags": stored_tags}

    def end_trace_v2(
        self,
        trace_id: str,
        *,
        timestamp_ms: int,
        status: str,
        metadata: Mapping[str, str],
        tags: Mapping[str, str],
    ) -> None:
        self._write_trace_v2(
            "PATCH",
            f"/{trace_id}",
            {
                "timestamp_ms": timestamp_ms,
                "status": status,
                "request_metadata": _entries(metadata),
                "tags": _entries(tags),
            },
        )

    def _write_trace_v2(
        self, method: str, path: str, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        response = self.request(method, f"api/2.0/mlflow/traces{path}", json=body)
        response_body: Any = json_body(response)
        match response_body:
            case {"trace_info": {}}:
                return cast("dict[str, Any]", response_body["trace_info"])
            case _:
                raise self.export_error(response, is_span_request=True)

    def find_experiment(self, name: str) -> ExistingExperiment | None:
        response = self.request(
            "GET",
            "api/2.0/mlflow/experiments/get-by-name",
            params={"experiment_name": name},
        )
        match json_body(response):
            case {
                "experiment": {
                    "experiment_id": str(experiment_id),
                    "lifecycle_stage": stage,
                }
            }:
                return ExistingExperiment(experiment_id, is_deleted=stage == "deleted")
            case {"error_code": "RESOURCE_DOES_NOT_EXIST"}:
                return None
            case _:
                raise self.export_error(response)

    def create_experiment(self, name: str) -> str | None:
        response = self.request(
            "POST", "api/2.0/mlflow/experiments/create", json={"name": name}
        )
        match json_body(response):
            case {"experiment_id": str(experiment_id)}:
                return experiment_id
            case {"error_code": "RESOURCE_ALREADY_EXISTS"}:
                return None
            case {"error_code": "RESOURCE_DOES_NOT_EXIST"}:
                raise ExportError(
                    "the workspace does not exist", f"Check {env.MLFLOW_WORKSPACE}"
                )
            case _:
                raise self.export_error(response)

    def request(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """Return the response, whatever its status is."""
        url = f"{self._address}/{path}"
        try:
            response = self._session.request(
                method, url, timeout=self._timeout, **kwargs
            )
        except OSError as error:
            raise export_error_from_exception(error, self._timeout) from error
        if export_error := plain_http_error(response, MLFLOW_SETTING_NAMES):
            raise export_error
        return response

    def export_error(
        self, response: requests.Response, *, is_span_request: bool = False
    ) -> ExportError:
        """Return the error to raise for a response."""
        match json_body(response):
            # Arbitrary text is not logged: it may contain secrets.
            case {"error_code": str(error_code)} if error_code.isidentifier():
                pass
            case _:
                error_code = ""
        if not error_code and response.status_code in WRONG_PATH_STATUSES:
            version = self._server_version()
            if is_too_old(version):
                return ExportError(
                    f"MLflow {version} is too old ({response.status_code})",
                    f"Upgrade the server to version {MINIMUM_VERSION} or newer",
                )
        error = export_error_from_response(
            response.status_code,
            error_code,
            self._experiment_label,
            is_span_request=is_span_request,
        )
        error.retry_after = retry_after_seconds(response)
        return error


def _entries(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]
