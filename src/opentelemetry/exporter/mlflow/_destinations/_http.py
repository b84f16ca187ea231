"""HTTP to MLflow under the stock OTLP exporter, with nothing of anybody else in it."""

from __future__ import annotations

import gzip
import logging
import threading
import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

import requests
from requests.structures import CaseInsensitiveDict

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

# What the request itself needs said.
_PLAIN_HEADERS = (
    "Accept",
    "Content-Encoding",
    "Content-Length",
    "Content-Type",
    "User-Agent",
)

_SPANS: Final = "application/x-protobuf"
# The stock exporter's own level is 9, with which the request is a third smaller, and
# each span of 2 kB of prose takes the time of its mapping once more.
_COMPRESSION: Final = 1

# Nobody is waited for as long as for a busy server: the next batch tries again, and
# a program that ends does not hang.
_CONNECT_SECONDS = 5.0
_PATIENCE_SECONDS = 2.0


class GivenUpError(requests.RequestException):
    """Not one of the errors after which the stock exporter tries again."""


@dataclass
class Attempt:
    """One batch on its way, tried again as the stock exporter sees fit.

    That exporter says only whether it succeeded, so the session tells here what came.
    """

    began: float = field(default_factory=time.monotonic)
    tries: int = 0
    response: requests.Response | None = None
    error: OSError | None = None

    def failed(self, error: OSError) -> None:
        """Raises GivenUpError if another try would be in vain."""
        self.tries += 1
        self.response, self.error = None, error
        if isinstance(error, (requests.exceptions.SSLError, requests.ConnectTimeout)):
            raise GivenUpError from error
        # The first may be a connection that the server has closed meanwhile.
        if (
            isinstance(error, requests.ConnectionError)
            and self.tries > 1
            and (self._has_waited or _program_ends())
        ):
            raise GivenUpError from error

    def answered(self, response: requests.Response) -> None:
        """Raises GivenUpError if another try would keep a program from ending."""
        self.tries += 1
        self.response, self.error = response, None
        if (
            response.status_code >= HTTPStatus.TOO_MANY_REQUESTS
            and self._has_waited
            and _program_ends()
        ):
            raise GivenUpError

    @property
    def _has_waited(self) -> bool:
        return time.monotonic() - self.began > _PATIENCE_SECONDS


def _program_ends() -> bool:
    """Whether this is the export that the SDK makes at exit."""
    return not threading.main_thread().is_alive()


_current: ContextVar[Attempt | None] = ContextVar("mlflow_attempt", default=None)


@contextmanager
def attempt() -> Generator[Attempt]:
    token = _current.set(made := Attempt())
    try:
        yield made
    finally:
        _current.reset(token)


class MlflowSession(requests.Session):
    """Sends with MLflow's headers and MLflow's TLS settings alone.

    The stock exporter adds the headers of OTEL_EXPORTER_OTLP_HEADERS, which may be the
    key of another backend, and checks certificates as OTEL_EXPORTER_OTLP_CERTIFICATE
    has it; `requests` adds cookies and what stands in ~/.netrc, and follows redirects.
    Whatever they do passes `send`.
    """

    def __init__(
        self,
        headers: Mapping[str, str],
        verify: bool | str,
        cert: str | None,
        *,
        compresses_spans: bool = True,
    ) -> None:
        super().__init__()
        self._compresses_spans = compresses_spans
        self.own_headers = dict(headers)
        self._own_verify = verify
        self._own_cert = cert

    def send(
        self, request: requests.PreparedRequest, **kwargs: Any
    ) -> requests.Response:
        if (
            self._compresses_spans
            and request.headers.get("Content-Type") == _SPANS
            and not _is_here(request.url)
        ):
            body = gzip.compress(cast("bytes", request.body), _COMPRESSION)
            request.body = body
            request.headers["Content-Encoding"] = "gzip"
            request.headers["Content-Length"] = str(len(body))
        plain = {
            name: request.headers[name]
            for name in _PLAIN_HEADERS
            if name in request.headers
        }
        request.headers = CaseInsensitiveDict(plain | self.own_headers)
        timeout = kwargs["timeout"]
        kwargs |= {
            "allow_redirects": False,
            "cert": self._own_cert,
            "timeout": (min(timeout, _CONNECT_SECONDS), timeout),
            # REQUESTS_CA_BUNDLE counts, as it does for MLflow's client.
            "verify": self.merge_environment_settings(
                request.url, {}, None, self._own_verify, None
            )["verify"],
        }
        current = _current.get()
        try:
            response = super().send(request, **kwargs)
        except OSError as error:  # RequestException is one, and so is a lost CA file
            if current:
                current.failed(error)
            raise
        if current:
            current.answered(response)
        return response


def _is_here(url: str | None) -> bool:
    """On this machine, and on the way there nothing is saved by compressing."""
    host = urlsplit(url or "").hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class OtherPeoplesLines(logging.Filter):
    """For the stock exporter's logger, which reports every batch and every retry.

    Lines about our own batches go: we report each cause once, with what to do. Lines
    of an OTLP exporter beside ours stay.
    """

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002  # all alike
        return _current.get() is None
