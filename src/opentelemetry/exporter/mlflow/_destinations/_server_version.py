"""The version of an MLflow server, and what this version does with spans."""

from __future__ import annotations

import logging
import re
import threading
from contextlib import suppress
from http import HTTPStatus
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from opentelemetry.exporter.mlflow._destinations._http import MlflowSession

_logger = logging.getLogger("opentelemetry.exporter.mlflow")

# The limits keep other text, which may be a secret, out of the log.
_VERSION: Final = re.compile(r"(\d{1,4})\.(\d{1,4})[\w.+]{0,20}")
# The version is not essential. An export must not wait long for it.
_TIMEOUT_SECONDS: Final = 2.0
# A server may be replaced by one of another version while the program runs.
_MAX_AGE_SECONDS: Final = 60.0
_RETRY_SECONDS: Final = 10.0


class ServerFeatures(NamedTuple):
    """What a server does with spans.

    `version` is None if the server does not tell it.

    `stores_spans`: it receives spans over OTLP. An older one has a file for each trace.

    `completes_traces`: it computes TraceInfo (name, previews, state, session, user,
    tokens, cost, tags) from the spans. An older one expects it from the client.
    """

    version: str | None
    stores_spans: bool
    completes_traces: bool

    @property
    def method(self) -> str:
        """How traces are sent, for log lines."""
        if not self.stores_spans:
            return "TraceInfo by REST, spans as an artifact"
        if not self.completes_traces:
            return "spans by OTLP, TraceInfo by REST"
        return "spans by OTLP"

    @property
    def description(self) -> str:
        version = f"version {self.version}" if self.version else "unknown version"
        return f"{version}, {self.method}"


# The first version, and whether it stores spans and completes traces. In these versions
# MLflow's own client changed from one way to the next, or the server began to compute
# the last of the facts.
_FEATURES: Final = (
    ((3, 15), True, True),
    ((3, 6), True, False),
    ((3, 1), False, False),
)
MINIMUM_VERSION: Final = "3.1"

# Works with each version: a server without OTLP says so, and a server that completes
# traces accepts TraceInfo, too.
UNKNOWN_FEATURES: Final = ServerFeatures(
    None, stores_spans=True, completes_traces=False
)


def features_of(text: str) -> ServerFeatures | None:
    """Return the features of a version; None if `text` is not a version.

    A version before MINIMUM_VERSION has those of MINIMUM_VERSION.
    """
    version = _VERSION.fullmatch(text.strip())
    if not version:
        return None
    numbers = int(version[1]), int(version[2])
    _, stores_spans, completes_traces = next(
        (row for row in _FEATURES if numbers >= row[0]), _FEATURES[-1]
    )
    return ServerFeatures(version[0], stores_spans, completes_traces)


def is_too_old(version: str | None) -> bool:
    match = _VERSION.fullmatch(version or "")
    return match is not None and (int(match[1]), int(match[2])) < _FEATURES[-1][0]


class ServerVersionReader:
    """Reads the version of a server again from time to time.

    Behind a load balancer the servers may have different versions. The features are
    therefore those that all the servers seen so far have.
    """

    def __init__(self, session: MlflowSession, address: str, timeout: float) -> None:
        self._session = session
        self._address = address
        self._timeout = timeout
        self._features = UNKNOWN_FEATURES
        self._has_described = False
        self._next_request = 0.0
        self._lock = threading.RLock()

    def read(self) -> ServerFeatures:
        """Return what is known; ask the server first if that is too long ago."""
        with self._lock:
            is_due = monotonic() >= self._next_request
            if is_due:
                self._next_request = monotonic() + _RETRY_SECONDS
        # No lock is held while a request runs.
        if is_due and (features := self._request()):
            with self._lock:
                self._next_request = monotonic() + _MAX_AGE_SECONDS
            self._set(_common(self._features, features))
        return self._features

    def set_stores_spans(self, *, stores_spans: bool) -> None:
        """Correct the features by a response of the server."""
        self._set(
            self._features._replace(stores_spans=stores_spans, completes_traces=False)
        )

    def _set(self, features: ServerFeatures) -> None:
        previous, self._features = self._features, features
        # The line of the first export has said the first way.
        if self._has_described and features.method != previous.method:
            _logger.info("MLflow at %s: %s", self._address, features.description)

    def describe(self) -> str:
        """The version and the way to send traces, for the line of the first export."""
        features = self.read()
        self._has_described = True
        # MLflow 3.0 shows what it gets. MLflow 2 stores it, too, and its pages cannot
        # read it.
        if is_too_old(features.version):
            _logger.warning(
                "MLflow at %s: version %s is too old, and may not show the traces that "
                "it accepts. Upgrade the server to version %s or newer.",
                self._address,
                features.version,
                MINIMUM_VERSION,
            )
        return features.description

    def _request(self) -> ServerFeatures | None:
        """Return None if the server does not tell its version."""
        with suppress(OSError):
            response = self._session.request(
                "GET",
                f"{self._address}/version",
                timeout=min(self._timeout, _TIMEOUT_SECONDS),
            )
            if response.status_code == HTTPStatus.OK:
                return features_of(response.text)
        return None


def _common(known: ServerFeatures, new: ServerFeatures) -> ServerFeatures:
    if known.version is None:
        return new
    return ServerFeatures(
        new.version,
        known.stores_spans and new.stores_spans,
        known.completes_traces and new.completes_traces,
    )
