"""Spans on their way over OTLP/HTTP, and what came of it."""

from __future__ import annotations

import logging
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import requests
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import SpanExportResult

from opentelemetry.exporter.mlflow import environment_variables as env
from opentelemetry.exporter.mlflow._destinations._http import OtherPeoplesLines, attempt
from opentelemetry.exporter.mlflow._destinations._protocol import ExportError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._destinations._http import MlflowSession

logging.getLogger(OTLPSpanExporter.__module__).addFilter(OtherPeoplesLines())


class Variables(NamedTuple):
    """What to correct, where nobody answers."""

    address: str = env.MLFLOW_TRACKING_URI
    certificate: str = env.MLFLOW_TRACKING_SERVER_CERT_PATH


_MLFLOWS: Final = Variables()


class Otlp:
    """The stock exporter, told apart: what was answered, or why nothing was."""

    def __init__(
        self,
        endpoint: str,
        session: MlflowSession,
        timeout: float,
        variables: Variables = _MLFLOWS,
    ) -> None:
        self._timeout = timeout
        self._variables = variables
        self._exporter = OTLPSpanExporter(
            endpoint=endpoint,
            timeout=timeout,
            compression=Compression.NoCompression,  # the session's part
            session=session,
        )

    def refused(self, spans: Sequence[ReadableSpan]) -> requests.Response | None:
        """The answer, unless it is yes. Raises ExportError if there is none."""
        result = SpanExportResult.FAILURE
        # Older versions raise what newer ones log: a span that cannot be encoded, a
        # file of certificates that went away.
        with attempt() as made, suppress(OSError, TypeError, ValueError):
            result = self._exporter.export(spans)
        answer = made.response
        if answer is None:
            raise unanswered(made.error, self._timeout, self._variables)
        taken = result is SpanExportResult.SUCCESS and _took_them(answer)
        return None if taken else answer

    def close(self) -> None:
        self._exporter.shutdown()  # type: ignore[no-untyped-call]


def unanswered(
    error: OSError | None, timeout: float, variables: Variables = _MLFLOWS
) -> ExportError:
    """None: it was not even asked."""
    match error:
        case None:
            return ExportError(
                "some spans cannot be encoded",
                "Look for text that is not Unicode and for many megabytes",
                is_divisible=True,
            )
        case requests.exceptions.SSLError():
            return ExportError(
                f"no safe connection ({_reason(error)})",
                f"Set {variables.certificate} to the authority that "
                "signed the server's certificate",
            )
        case requests.exceptions.ProxyError():
            return ExportError(
                f"no way through the proxy ({_reason(error)})",
                "Check HTTPS_PROXY and HTTP_PROXY, or name MLflow's host in NO_PROXY",
            )
        case requests.ReadTimeout():
            return ExportError(
                f"no answer within {timeout:g} s",
                f"Give it longer ({env.OTEL_EXPORTER_MLFLOW_TIMEOUT}, seconds); a "
                "server without internet needs MLFLOW_MODEL_CATALOG_URI=''",
            )
        case _:
            return ExportError(
                f"no connection ({_reason(error)})",
                f"Start the server, or correct {variables.address}",
            )


def body(answer: requests.Response) -> Any:
    with suppress(ValueError):
        return answer.json()
    return None


def _took_them(answer: requests.Response) -> bool:
    """Neither a redirection nor a login page, which are successes to the exporter."""
    return (
        HTTPStatus.OK <= answer.status_code < HTTPStatus.MULTIPLE_CHOICES
        and "html" not in answer.headers.get("Content-Type", "")
    )


def _reason(error: BaseException) -> str:
    """What the operating system said, below the layers of HTTP libraries."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    if type(error) is OSError and error.args:  # a proxy's answer has no number
        return str(error.strerror or error)
    return (isinstance(error, OSError) and error.strerror) or type(error).__name__
