"""An MLflow server, over OTLP/HTTP."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

from opentelemetry.exporter.mlflow import environment_variables as env
from opentelemetry.exporter.mlflow._config import strip_uri_secrets
from opentelemetry.exporter.mlflow._destinations._connection import connection_settings
from opentelemetry.exporter.mlflow._destinations._error_messages import refusal
from opentelemetry.exporter.mlflow._destinations._experiment import (
    Found,
    found_or_created,
)
from opentelemetry.exporter.mlflow._destinations._http import MlflowSession
from opentelemetry.exporter.mlflow._destinations._otlp import Otlp, body, unanswered
from opentelemetry.exporter.mlflow._destinations._protocol import ExportError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import requests
    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._destinations._experiment import Experiment


class Server:
    """See `Destination`."""

    wants_whole_traces = False

    def __init__(self, uri: str, experiment: Experiment, timeout: float) -> None:
        self.address = strip_uri_secrets(uri).rstrip("/")
        self._experiment = experiment
        self._timeout = timeout
        self._settings = connection_settings(uri)
        self._connect()

    def _connect(self) -> None:
        self._lock = threading.Lock()
        self._session = MlflowSession(*self._settings)
        self._otlp = Otlp(f"{self.address}/v1/traces", self._session, self._timeout)

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        with self._lock:
            self._settle_experiment()
        answer = self._otlp.refused(spans)
        if answer is not None:  # one that refuses is false by itself
            raise self._refused(answer, of_spans=True)

    def close(self) -> None:
        self._otlp.close()

    def after_fork(self) -> None:
        self._connect()

    def _settle_experiment(self) -> None:
        if self._experiment.id is None:
            found = found_or_created(self._experiment.name, self)
            self._experiment = self._experiment._replace(id=found)
        self._session.own_headers["x-mlflow-experiment-id"] = str(self._experiment.id)

    def read_trace_info(self, trace_id: int) -> Mapping[str, Any] | None:
        answer = self._asked("GET", f"3.0/mlflow/traces/tr-{trace_id:032x}")
        said: Any = body(answer)
        match said:
            case {"trace": {"trace_info": {}}}:
                return cast("dict[str, Any]", said["trace"]["trace_info"])
            case {"error_code": "RESOURCE_DOES_NOT_EXIST"}:
                return None
            case _:
                raise self._refused(answer, of_spans=False)

    def find(self, name: str) -> Found | None:
        """An experiment by name; part of `Catalogue`."""
        answer = self._ask("GET", "get-by-name", params={"experiment_name": name})
        match body(answer):
            case {
                "experiment": {"experiment_id": str(found), "lifecycle_stage": stage}
            }:
                return Found(found, is_deleted=stage == "deleted")
            case {"error_code": "RESOURCE_DOES_NOT_EXIST"}:
                return None
            case _:
                raise self._refused(answer, of_spans=False)

    def create(self, name: str) -> str | None:
        """A new experiment; part of `Catalogue`."""
        answer = self._ask("POST", "create", json={"name": name})
        match body(answer):
            case {"experiment_id": str(created)}:
                return created
            case {"error_code": "RESOURCE_ALREADY_EXISTS"}:
                return None
            case {"error_code": "RESOURCE_DOES_NOT_EXIST"}:
                raise ExportError(
                    "there is no such workspace", f"Check {env.MLFLOW_WORKSPACE}"
                )
            case _:
                raise self._refused(answer, of_spans=False)

    def _ask(self, method: str, what: str, **kwargs: Any) -> requests.Response:
        return self._asked(method, f"2.0/mlflow/experiments/{what}", **kwargs)

    def _asked(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        url = f"{self.address}/api/{path}"
        try:
            return self._session.request(method, url, timeout=self._timeout, **kwargs)
        except OSError as error:
            raise unanswered(error, self._timeout) from error

    def _refused(self, answer: requests.Response, *, of_spans: bool) -> ExportError:
        match body(answer):
            case {"error_code": str(code)} if code.isidentifier():
                pass
            case _:
                code = ""
        experiment = self._experiment.shown
        return refusal(answer.status_code, code, experiment, of_spans=of_spans)
