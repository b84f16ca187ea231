"""Functions of `mlflow.tracing.configure(span_processors=…)`, for translated spans.

MLflow logs the exception of such a function and exports the span unchanged. The
function may exist to redact content. Here the content is withheld.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.exporter.mlflow._content._redacted_span import (
    RedactedSpan,
    withheld_span,
)
from opentelemetry.exporter.mlflow._content._redaction import Withholding
from opentelemetry.exporter.mlflow._fluent_api._live_span import (
    MutableSpan,
    live_span,
)
from opentelemetry.exporter.mlflow._mapping import (
    OTHER_INPUTS,
    OTHER_OUTPUTS,
    SPAN_INPUTS,
    SPAN_OUTPUTS,
)

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._fluent_api._span_settings import SpanFunctions

# Messages in events, which the inputs and outputs have, too.
_MESSAGE_EVENTS: Final = "gen_ai."

_withholding: Final = Withholding(
    "A function of mlflow.tracing.configure(span_processors=…)"
)


def configured_span_processors() -> SpanFunctions:
    config: Any = sys.modules.get("mlflow.tracing.config")
    return tuple(config.get_config().span_processors) if config else ()


def process_span(
    functions: SpanFunctions, span: ReadableSpan, values: RedactedSpan
) -> RedactedSpan:
    """Call the functions with the values of `span` for MLflow. Never raises."""
    name, attributes, events, status = values
    try:
        events = [e for e in events if not e.name.startswith(_MESSAGE_EVENTS)]
        attributes = _with_inputs_and_outputs(attributes)
        mutable_span = MutableSpan(span, name, attributes, events, status)
        argument = live_span(mutable_span)
        for function in functions:
            function(argument)
        return RedactedSpan(
            str(mutable_span.name),
            mutable_span.changed_attributes,
            list(mutable_span.events),
            mutable_span.status,
        )
    except Exception as error:  # noqa: BLE001  # the user's function
        failure = f"raised {type(error).__name__}"
        return withheld_span(_withholding, attributes, status, failure)


def _with_inputs_and_outputs(attributes: dict[str, Any]) -> dict[str, Any]:
    """Move content of other conventions to where functions look for it."""
    attributes = dict(attributes)
    for target, sources in ((SPAN_INPUTS, OTHER_INPUTS), (SPAN_OUTPUTS, OTHER_OUTPUTS)):
        for source in sources:
            if (value := attributes.pop(source, None)) is not None:
                attributes.setdefault(target, _as_json(value))
    return attributes


def _as_json(value: Any) -> str:
    try:
        json.loads(value)
    except (RecursionError, TypeError, ValueError):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
