"""The user's own function between the spans and MLflow."""

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

WITHHELD = "opentelemetry.exporter.mlflow.withheld"

# What nobody wrote: it may go where the function that should look at it fails.
_HARMLESS = (
    "error.type",
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "gen_ai.usage.",
    "mlflow.llm.cost",
    "mlflow.spanType",
    "server.address",
    "server.port",
)


class Redaction:
    """Calls `redact`; where it fails, all that may be content is withheld."""

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
                # Not its words: they may be those it should have kept back.
                _logger.warning(
                    "The redaction of what goes to MLflow raises %s: content is "
                    "withheld, and marked with the attribute %s. (This is said once.)",
                    type(error).__name__,
                    WITHHELD,
                )
            return {
                name: value
                for name, value in attributes.items()
                if name.startswith(_HARMLESS)
            } | {WITHHELD: f"the redaction raised {type(error).__name__}"}


def redaction(argument: Redact | str | None, given: Setting) -> Redaction | None:
    """From the function itself, or from `package.module:function`.

    Raises ValueError: there is no such function.
    """
    if callable(argument):
        return Redaction(argument)
    if given.value is None:
        return None
    module, _, name = given.value.partition(":")
    try:
        function: Any = attrgetter(name)(import_module(module))
    except Exception as error:
        raise ValueError(
            f"{given.name} takes a function as package.module:function, not "
            f"{given.value!r}: {type(error).__name__}: {error}"
        ) from error
    if not callable(function):
        raise ValueError(  # noqa: TRY004  # of a read_setting, the value is wrong
            f"{given.name} takes a function; {given.value!r} is none"
        )
    return Redaction(cast("Redact", function))
