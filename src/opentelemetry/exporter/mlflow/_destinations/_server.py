"""An MLflow server, which receives spans over OTLP/HTTP."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, cast

from opentelemetry.exporter.mlflow import environment_variables as env
from opentelemetry.exporter.mlflow._config import strip_uri_secrets
from opentelemetry.exporter.mlflow._destinations._connection import connection_settings
from opentelemetry.exporter.mlflow._destinations._connection_errors import (
    MLFLOW_SETTING_NAMES,
    export_error_from_exception,
    plain_http_error,
)
from opentelemetry.exporter.mlflow._destinations._error_messages import (
    WRONG_PATH_STATUSES,
    export_error_from_response,
)
from opentelemetry.exporter.mlflow._destinations._experiment import (
    ExistingExperiment,
    find_or_create_experiment,
)
from opentelemetry.exporter.mlflow._destinations._http import MlflowSession
from opentelemetry.exporter.mlflow._destinations._otlp import (
    OtlpClient,
    json_body,
    retry_after_seconds,
)
from opentelemetry.exporter.mlflow._destinations._protocol import ExportError
from opentelemetry.exporter.mlflow._destinations._server_version import (
    MINIMUM_VERSION,
    outdated_version,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import requests
    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._destinations._experiment import Experiment

_logger = logging.getLogger("opentelemetry.exporter.mlflow")


class MlflowServerDestination:
    """An MLflow server. Implements `Destination` and `ExperimentStore`."""

    wants_whole_traces = False

    def __init__(self, uri: str, experiment: Experiment, timeout: float) -> None:
        self.address = strip_uri_secrets(uri).rstrip("/")
        self._experiment = experiment
        self._timeout = timeout
        self._settings = connection_settings(uri)
        self._has_checked_version = False
        self._connect()

    def _connect(self) -> None:
        self._lock = threading.RLock()
        # OTLPSpanExporter before 1.45 sets its Content-Type on its session. MLflow
        # would reject requests with JSON that have this Content-Type.
        self._session = MlflowSession(*self._settings)
        self._otlp_session = MlflowSession(*self._settings)
        self._otlp = OtlpClient(
            f"{self.address}/v1/traces", self._otlp_session, self._timeout
        )

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        with self._lock:
            self._set_experiment_header()
        response = self._otlp.send(spans)
        if response is not None:  # An error response is false as a boolean.
            raise self._export_error(response, is_span_request=True)
        self._warn_if_outdated()

    def _warn_if_outdated(self) -> None:
        """Read the version once, because an old server accepts spans without a word."""
        with self._lock:
            has_checked, self._has_checked_version = self._has_checked_version, True
        if not has_checked and (version := self._outdated_version()):
            _logger.warning(
                "MLflow at %s has version %s, which is too old: traces may be "
                "incomplete. Upgrade the server to version %s or newer. This is logged "
                "once.",
                self.address,
                version,
                MINIMUM_VERSION,
            )

    def _outdated_version(self) -> str | None:
        return outdated_version(self._session, self.address, self._timeout)

    def close(self) -> None:
        self._otlp.close()
        self._session.close()

    def after_fork(self) -> None:
        self._connect()

    def _set_experiment_header(self) -> None:
        if self._experiment.id is None:
            experiment_id = find_or_create_experiment(self._experiment.name, self)
            self._experiment = self._experiment._replace(id=experiment_id)
        self._otlp_session.extra_headers["x-mlflow-experiment-id"] = str(
            self._experiment.id
        )

    def read_trace_info(self, trace_id: int) -> Mapping[str, Any] | None:
        response = self._request("GET", f"3.0/mlflow/traces/tr-{trace_id:032x}")
        body: Any = json_body(response)
        match body:
            case {"trace": {"trace_info": {}}}:
                return cast("dict[str, Any]", body["trace"]["trace_info"])
            case {"error_code": "RESOURCE_DOES_NOT_EXIST"}:
                return None
            case _:
                raise self._export_error(response, is_span_request=False)

    def find_experiment(self, name: str) -> ExistingExperiment | None:
        response = self._request(
            "GET",
            "2.0/mlflow/experiments/get-by-name",
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
                raise self._export_error(response, is_span_request=False)

    def create_experiment(self, name: str) -> str | None:
        response = self._request(
            "POST", "2.0/mlflow/experiments/create", json={"name": name}
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
                raise self._export_error(response, is_span_request=False)

    def _request(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        url = f"{self.address}/api/{path}"
        try:
            response = self._session.request(
                method, url, timeout=self._timeout, **kwargs
            )
        except OSError as error:
            raise export_error_from_exception(error, self._timeout) from error
        if export_error := plain_http_error(response, MLFLOW_SETTING_NAMES):
            raise export_error
        return response

    def _export_error(
        self, response: requests.Response, *, is_span_request: bool
    ) -> ExportError:
        match json_body(response):
            # Arbitrary text is not logged: it may contain secrets.
            case {"error_code": str(error_code)} if error_code.isidentifier():
                pass
            case _:
                error_code = ""
        if (
            not error_code
            and response.status_code in WRONG_PATH_STATUSES
            and (version := self._outdated_version())
        ):
            return ExportError(
                f"MLflow {version} is too old ({response.status_code})",
                f"Upgrade the server to version {MINIMUM_VERSION} or newer",
            )
        error = export_error_from_response(
            response.status_code,
            error_code,
            self._experiment.label,
            is_span_request=is_span_request,
        )
        error.retry_after = retry_after_seconds(response)
        return error
