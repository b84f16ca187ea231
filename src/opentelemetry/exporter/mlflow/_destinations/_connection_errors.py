"""Translates a request without a response into an ExportError."""

from __future__ import annotations

import ssl
from http.client import BadStatusLine, RemoteDisconnected
from typing import TYPE_CHECKING, Final, NamedTuple

import requests

from opentelemetry.exporter.mlflow import environment_variables as env
from opentelemetry.exporter.mlflow._destinations._protocol import (
    ExportError,
    ExportInterruptedError,
)
from opentelemetry.exporter.mlflow._destinations._response_times import (
    LateResponseError,
    RequestInterruptedError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


class SettingNames(NamedTuple):
    """The settings to correct if the connection fails.

    `start_advice` is the advice for a server that is not running.
    """

    uri: str = env.MLFLOW_TRACKING_URI
    certificate: str = env.MLFLOW_TRACKING_SERVER_CERT_PATH
    client_certificate: str | None = env.MLFLOW_TRACKING_CLIENT_CERT_PATH
    start_advice: str = f"Start the server, or correct {env.MLFLOW_TRACKING_URI}"


MLFLOW_SETTING_NAMES: Final = SettingNames()

# OpenSSL's reasons for a response that is not TLS, in several versions of it.
_NO_TLS_REASONS: Final = (
    "HTTP_REQUEST",
    "RECORD_LAYER_FAILURE",
    "WRONG_VERSION_NUMBER",
)
# https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/#error-codes
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_OTHER_HOST: Final = (62, 64)
# What servers in Go, nginx and Apache respond to a request without TLS.
_TLS_REQUIRED_TEXTS: Final = (
    b"HTTP request to an HTTPS server",
    b"plain HTTP request was sent to HTTPS port",
    b"speaking plain HTTP to an SSL-enabled server port",
)


def export_error_from_exception(
    error: OSError | None,
    timeout: float,
    setting_names: SettingNames = MLFLOW_SETTING_NAMES,
) -> ExportError:
    """Return the error to raise for a request without a response.

    None means that no request was sent, because the spans could not be encoded.
    """
    match error:
        case None:
            return ExportError(
                "some spans cannot be encoded",
                "Look for text that is not valid Unicode, and for values of many "
                "megabytes",
                is_divisible=True,
                is_temporary=False,
            )
        case requests.exceptions.SSLError():
            return _tls_error(error, setting_names)
        case requests.exceptions.ProxyError():
            return ExportError(
                f"the connection to the proxy failed ({_root_cause(error)})",
                "Check HTTPS_PROXY and HTTP_PROXY, or add MLflow's host to NO_PROXY",
            )
        case requests.ReadTimeout():
            return _timeout_error(error, timeout)
        case _:
            return _connection_error(error, setting_names)


def _timeout_error(error: requests.ReadTimeout, timeout: float) -> ExportError:
    match error:
        case RequestInterruptedError():
            return ExportInterruptedError(
                "the process ends, or the exporter was shut down",
                "If it occurs often, increase OTEL_INSTRUMENTATION_EXIT_FLUSH_TIMEOUT",
            )
        case LateResponseError():
            return ExportError(
                "a response takes much longer than others before",
                "The request is sent again. If it occurs often, see the server's log",
            )
        case _:
            return ExportError(
                f"no response within {timeout:g} s",
                f"Increase {env.OTEL_EXPORTER_MLFLOW_TIMEOUT} (seconds); a server "
                "without internet access needs MLFLOW_MODEL_CATALOG_URI=''",
            )


def _tls_error(error: OSError, setting_names: SettingNames) -> ExportError:
    tls_error = next((e for e in _chain(error) if isinstance(e, ssl.SSLError)), None)
    match tls_error:
        case ssl.SSLCertVerificationError():
            return ExportError(
                f"the TLS connection failed ({tls_error.verify_message})",
                _certificate_advice(tls_error.verify_code, setting_names),
            )
        case ssl.SSLError(reason=str(reason)) if reason in _NO_TLS_REASONS:
            return ExportError(
                f"the server does not use TLS ({reason})",
                f"Set {setting_names.uri} to the same address with http:// instead of "
                "https://, or to the port where the server uses TLS",
            )
        case _:
            advice = "See the server's log for the reason"
            if setting_names.client_certificate:
                advice += (
                    "; if it requires a client certificate, set "
                    f"{setting_names.client_certificate}"
                )
            return ExportError(
                f"the TLS connection failed ({_root_cause(error)})", advice
            )


def _certificate_advice(verify_code: int, setting_names: SettingNames) -> str:
    match verify_code:
        case code if code == _EXPIRED:
            return "Renew the certificate of the server"
        case code if code == _NOT_YET_VALID:
            return "Check the clocks of this machine and of the server"
        case code if code in _OTHER_HOST:
            return (
                f"Set {setting_names.uri} to a host that the server's certificate "
                "names, or add this host to the certificate"
            )
        case _:
            return (
                f"Set {setting_names.certificate} to the certificate of the authority "
                "that signed the server's certificate"
            )


def _connection_error(error: OSError, setting_names: SettingNames) -> ExportError:
    cause = f"the connection failed ({_root_cause(error)})"
    request: requests.PreparedRequest | None = getattr(error, "request", None)
    is_plain_http = str(request and request.url).startswith("http:")
    for inner in _chain(error):
        # A response in HTTP/2 begins with the length of a frame, which is binary.
        if isinstance(inner, BadStatusLine) and not str(inner).isprintable():
            return ExportError(
                "the response is not HTTP/1.1",
                f"Set {setting_names.uri} to a port for OTLP over HTTP; a port for "
                "OTLP over gRPC (usually 4317) is not accepted",
            )
        if is_plain_http and isinstance(
            inner, (BrokenPipeError, ConnectionResetError, RemoteDisconnected)
        ):
            return ExportError(
                cause,
                "See the server's log for the reason; if the server uses TLS, set "
                f"{setting_names.uri} to its address with https://",
            )
    return ExportError(cause, setting_names.start_advice)


def plain_http_error(
    response: requests.Response, setting_names: SettingNames
) -> ExportError | None:
    """The error if the server requires TLS and the request did not use it."""
    if response.status_code != requests.codes.bad_request or not any(
        text in response.content for text in _TLS_REQUIRED_TEXTS
    ):
        return None
    return ExportError(
        "the server requires TLS (400)",
        f"Set {setting_names.uri} to the same address with https:// instead of http://",
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception, and those of HTTP libraries and of the system beneath it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _root_cause(error: BaseException) -> str:
    """The operating system's message, beneath the exceptions of HTTP libraries."""
    *_, error = _chain(error)
    if type(error) is OSError and error.args:  # A proxy's response has no errno.
        return str(error.strerror or error)
    return (isinstance(error, OSError) and error.strerror) or type(error).__name__
