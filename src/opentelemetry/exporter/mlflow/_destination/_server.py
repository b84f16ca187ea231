"""An MLflow server, over OTLP/HTTP."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import requests
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import SpanExportResult

from opentelemetry.exporter.mlflow import environment_variables as env
from opentelemetry.exporter.mlflow._destination._connection import connection_settings
from opentelemetry.exporter.mlflow._destination._contract import UndeliveredError
from opentelemetry.exporter.mlflow._destination._experiment import (
    Found,
    found_or_created,
)
from opentelemetry.exporter.mlflow._destination._http import (
    MlflowSession,
    OtherPeoplesLines,
    attempt,
)
from opentelemetry.exporter.mlflow._destination._refusal import refusal
from opentelemetry.exporter.mlflow._settings import without_secrets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._destination._experiment import Experiment

logging.getLogger(OTLPSpanExporter.__module__).addFilter(OtherPeoplesLines())


class Server:
    """See `Destination`."""

    def __init__(self, uri: str, experiment: Experiment, timeout: float) -> None:
        self.address = without_secrets(uri).rstrip("/")
        self._experiment = experiment
        self._timeout = timeout
        self._settings = connection_settings(uri)
        self._connect()

    def _connect(self) -> None:
        self._lock = threading.Lock()
        self._session = MlflowSession(*self._settings)
        self._otlp = OTLPSpanExporter(
            endpoint=f"{self.address}/v1/traces",
            timeout=self._timeout,
            compression=Compression.Gzip,
            session=self._session,
        )

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        with self._lock:
            self._settle_experiment()
        result = SpanExportResult.FAILURE
        # Older versions raise what newer ones log: a span that cannot be encoded, a
        # file of certificates that went away.
        with attempt() as made, suppress(OSError, TypeError, ValueError):
            result = self._otlp.export(spans)
        answer = made.response
        if answer is None:
            raise self._unanswered(made.error)
        if result is not SpanExportResult.SUCCESS or not _took_them(answer):
            raise self._refused(answer, of_spans=True)

    def close(self) -> None:
        self._otlp.shutdown()  # type: ignore[no-untyped-call]

    def after_fork(self) -> None:
        self._connect()

    def _settle_experiment(self) -> None:
        if self._experiment.id is None:
            found = found_or_created(self._experiment.name, self)
            self._experiment = self._experiment._replace(id=found)
        self._session.own_headers["x-mlflow-experiment-id"] = str(self._experiment.id)

    def find(self, name: str) -> Found | None:
        """An experiment by name; part of `Catalogue`."""
        answer = self._ask("GET", "get-by-name", params={"experiment_name": name})
        match _body(answer):
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
        match _body(answer):
            case {"experiment_id": str(created)}:
                return created
            case {"error_code": "RESOURCE_ALREADY_EXISTS"}:
                return None
            case _:
                raise self._refused(answer, of_spans=False)

    def _ask(self, method: str, what: str, **kwargs: Any) -> requests.Response:
        url = f"{self.address}/api/2.0/mlflow/experiments/{what}"
        try:
            return self._session.request(method, url, timeout=self._timeout, **kwargs)
        except OSError as error:
            raise self._unanswered(error) from error

    def _refused(
        self, answer: requests.Response, *, of_spans: bool
    ) -> UndeliveredError:
        match _body(answer):
            case {"error_code": str(code)} if code.isidentifier():
                pass
            case _:
                code = ""
        experiment = self._experiment.id or repr(self._experiment.name)
        return refusal(answer.status_code, code, experiment, of_spans=of_spans)

    def _unanswered(self, error: OSError | None) -> UndeliveredError:
        match error:
            case None:
                return UndeliveredError(
                    "some spans cannot be encoded",
                    "Look for text that is not Unicode and for many megabytes",
                    divisible=True,
                )
            case requests.exceptions.SSLError():
                return UndeliveredError(
                    f"no safe connection ({_reason(error)})",
                    f"Set {env.MLFLOW_TRACKING_SERVER_CERT_PATH} to the authority that "
                    "signed the server's certificate",
                )
            case requests.ReadTimeout():
                return UndeliveredError(
                    f"no answer within {self._timeout:g} s",
                    f"Give it longer ({env.OTEL_EXPORTER_MLFLOW_TIMEOUT}, seconds); a "
                    "server without internet needs MLFLOW_MODEL_CATALOG_URI=''",
                )
            case _:
                return UndeliveredError(
                    f"no connection ({_reason(error)})",
                    f"Start the server, or correct {env.MLFLOW_TRACKING_URI}",
                )


def _took_them(answer: requests.Response) -> bool:
    """Neither a redirection nor a login page, which are successes to the exporter."""
    return (
        HTTPStatus.OK <= answer.status_code < HTTPStatus.MULTIPLE_CHOICES
        and "html" not in answer.headers.get("Content-Type", "")
    )


def _body(answer: requests.Response) -> Any:
    with suppress(ValueError):
        return answer.json()
    return None


def _reason(error: BaseException) -> str:
    """What the operating system said, below the layers of HTTP libraries."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return (isinstance(error, OSError) and error.strerror) or type(error).__name__
