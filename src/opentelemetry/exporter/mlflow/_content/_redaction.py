"""The user's function that redacts a span before it is sent to MLflow."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib import import_module
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    from opentelemetry.exporter.mlflow._config import Setting

_logger = logging.getLogger("opentelemetry.exporter.mlflow")


class SpanContent(NamedTuple):
    """What MLflow gets of one span besides ids, times and the resource.

    It is a named tuple of JSON values, so that a function for JSON can redact each
    field: `SpanContent(*map(redact_json, content))`.

    Attributes:
        name: the name of the span; a root span's is also the name of the trace.
        inputs: the parsed inputs. For a model call, a chat request of OpenAI's API.
        outputs: the parsed outputs. For a model call, a chat completion of that API.
        attributes: all other attributes by name. `mlflow.chat.tools` is parsed.
        events: dictionaries with `name`, `attributes` and `timestamp` (Unix time in
            nanoseconds).
        status_description: the description of the status, such as an error message.
    """

    name: str
    inputs: Any
    outputs: Any
    attributes: dict[str, Any]
    events: list[dict[str, Any]]
    status_description: str | None


Redact = Callable[[SpanContent], SpanContent]

_WITHHELD = "opentelemetry.exporter.mlflow.withheld"
_WITHHELD_NAME = "withheld"

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


class Withholding:
    """Withholds the content of spans that a function of the user did not process."""

    def __init__(self, function: str) -> None:
        self._function = function
        self.failures = 0

    def __call__(self, content: SpanContent, failure: str) -> SpanContent:
        """Return what is certainly not message content, and log the first failure."""
        self.failures += 1
        if self.failures == 1:
            # The message of an exception may contain what the function should redact.
            _logger.warning(
                "%s %s. Message content is withheld from MLflow, "
                "and the span has the attribute %s. Correct the function. This is "
                "logged once.",
                self._function,
                failure,
                _WITHHELD,
            )
        attributes = {
            name: value
            for name, value in content.attributes.items()
            if name.startswith(_PREFIXES_WITHOUT_CONTENT)
        }
        function = self._function[0].lower() + self._function[1:]
        attributes[_WITHHELD] = f"{function} {failure}"
        return SpanContent(_WITHHELD_NAME, None, None, attributes, [], None)


class Redaction:
    """Calls `redact`. If it fails, everything that may be content is withheld."""

    def __init__(self, redact: Redact) -> None:
        self._redact = redact
        self.withhold = Withholding("The redaction function")

    def __call__(self, content: SpanContent) -> SpanContent:
        try:
            redacted = self._redact(
                content._replace(attributes=dict(content.attributes))
            )
        except Exception as error:  # noqa: BLE001  # the user's function
            return self.withhold(content, f"raised {type(error).__name__}")
        if not isinstance(redacted, SpanContent):  # pyright: ignore[reportUnnecessaryIsInstance]  # the user's function
            kind = type(redacted).__name__
            return self.withhold(content, f"returned {kind} instead of SpanContent")
        return redacted


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
