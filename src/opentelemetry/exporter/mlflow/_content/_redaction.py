"""The user's function that redacts attributes before they are sent to MLflow."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib import import_module
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from opentelemetry.exporter.mlflow._config import Setting

_logger = logging.getLogger("opentelemetry.exporter.mlflow")

Redact = Callable[[dict[str, Any]], dict[str, Any]]

_WITHHELD = "opentelemetry.exporter.mlflow.withheld"

# Attributes without message content. They are sent even if the function fails.
_PREFIXES_WITHOUT_CONTENT = (
    "deepseek.server.type",
    "error.type",
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "gen_ai.usage.",
    "mlflow.llm.cost",
    "mlflow.llm.model",
    "mlflow.spanType",
    "server.address",
    "server.port",
)


class Redaction:
    """Calls `redact`. If it fails, all attributes that may be content are withheld."""

    def __init__(self, redact: Redact) -> None:
        self._redact = redact
        self.failures = 0

    def __call__(self, attributes: dict[str, Any]) -> dict[str, Any]:
        try:
            redacted = self._redact(dict(attributes))
            return {str(name): value for name, value in redacted.items()}
        except Exception as error:  # noqa: BLE001  # the user's function
            self.failures += 1
            if self.failures == 1:
                # The message of the exception may contain what it should redact.
                _logger.warning(
                    "The redaction function raised %s. Message content is withheld "
                    "from MLflow, and marked with the attribute %s. Correct the "
                    "function. This is logged once.",
                    type(error).__name__,
                    _WITHHELD,
                )
            return {
                name: value
                for name, value in attributes.items()
                if name.startswith(_PREFIXES_WITHOUT_CONTENT)
            } | {_WITHHELD: f"the redaction function raised {type(error).__name__}"}


def load_redaction(argument: Redact | str | None, setting: Setting) -> Redaction | None:
    """Return the redaction with a function, or with the one at an import path.

    `setting` has the import path, `package.module:function`. Raises ValueError if there
    is no such function.
    """
    if callable(argument):
        return Redaction(argument)
    if setting.value is None:
        return None
    accepted = "the import path of a function, package.module:function"
    module, _, name = setting.value.partition(":")
    try:
        function: Any = attrgetter(name)(import_module(module))
    except Exception as error:
        raise ValueError(
            f"{setting.name} must be {accepted}; got {setting.value!r}: "
            f"{type(error).__name__}: {error}"
        ) from error
    if not callable(function):
        raise ValueError(  # noqa: TRY004  # the value of the setting is wrong
            f"{setting.name} must be {accepted}; got {setting.value!r}, which is not "
            "callable"
        )
    return Redaction(cast("Redact", function))
