"""The version of an MLflow server. Old servers accept spans, too."""

from __future__ import annotations

import re
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from opentelemetry.exporter.mlflow._destinations._http import MlflowSession

_MINIMUM: Final = (3, 14)
MINIMUM_VERSION: Final = ".".join(map(str, _MINIMUM))
# The limits keep other text, which may be a secret, out of the log.
_VERSION: Final = re.compile(r"(\d{1,4})\.(\d{1,4})[\w.+]{0,20}")
# The version is not essential. An export must not wait long for it.
_TIMEOUT_SECONDS: Final = 2.0


def outdated_version(
    session: MlflowSession, address: str, timeout: float
) -> str | None:
    """Return the version of the server if it is older than MINIMUM_VERSION.

    Returns None if it is not older, or if the server does not tell its version.
    """
    with suppress(OSError):
        response = session.request(
            "GET", f"{address}/version", timeout=min(timeout, _TIMEOUT_SECONDS)
        )
        version = _VERSION.fullmatch(response.text.strip())
        if (
            response.status_code == HTTPStatus.OK
            and version
            and (int(version[1]), int(version[2])) < _MINIMUM
        ):
            return version[0]
    return None
