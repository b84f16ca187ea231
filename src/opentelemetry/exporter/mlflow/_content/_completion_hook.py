"""A completion hook of GenAI instrumentations, which sends content to MLflow only.

    OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK=mlflow

Prompts, reasoning, answers and tools of all instrumentations that use
`opentelemetry-util-genai` reach MLflow. They are not on spans or events, so other
exporters do not receive them. Only the entry point loads this module.
"""

from __future__ import annotations

import json
import logging
import os
from base64 import b64encode
from dataclasses import fields, is_dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Protocol, cast

from opentelemetry.sdk.trace import ReadableSpan

from opentelemetry.exporter.mlflow._content._pending import pending_content
from opentelemetry.exporter.mlflow.environment_variables import (
    OTEL_EXPORTER_MLFLOW_NEXT_COMPLETION_HOOK,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_logger = logging.getLogger("opentelemetry.exporter.mlflow")

_ENTRY_POINT_GROUP = "opentelemetry_genai_completion_hook"
_ENTRY_POINT_NAME = "mlflow"


class _CompletionHook(Protocol):
    def on_completion(self, **arguments: Any) -> None: ...


class MlflowCompletionHook:
    """Stores content until its span is exported, and then calls the next hook.

    Raises ValueError if OTEL_EXPORTER_MLFLOW_NEXT_COMPLETION_HOOK is not the name of
    another installed hook.
    """

    def __init__(self) -> None:
        self._next_hook = _load_next_hook()
        self._has_logged_failure = False
        pending_content.has_hook = True

    def on_completion(  # the arguments of opentelemetry.util.genai.completion_hook
        self,
        *,
        inputs: Sequence[Any] = (),
        outputs: Sequence[Any] = (),
        system_instruction: Sequence[Any] = (),
        tool_definitions: Sequence[Any] | None = None,
        span: Any = None,
        log_record: Any = None,
        **other_arguments: Any,
    ) -> None:
        # A span that has ended is not recording, but may still be exported.
        context = span.context if isinstance(span, ReadableSpan) else None
        if context and context.trace_flags.sampled:
            content = {
                name: self._encode(value)
                for name, value in (
                    ("gen_ai.system_instructions", system_instruction),
                    ("gen_ai.input.messages", inputs),
                    ("gen_ai.output.messages", outputs),
                    ("gen_ai.tool.definitions", tool_definitions),
                )
                if value
            }
            if content:
                pending_content.add((context.trace_id, context.span_id), content)
        if self._next_hook is not None:
            self._next_hook.on_completion(
                inputs=inputs,
                outputs=outputs,
                system_instruction=system_instruction,
                tool_definitions=tool_definitions,
                span=span,
                log_record=log_record,
                **other_arguments,
            )

    def _encode(self, value: Sequence[Any]) -> str:
        try:
            return json.dumps(value, ensure_ascii=False, default=_to_json_type)
        except (RecursionError, TypeError, ValueError) as error:
            if not self._has_logged_failure:
                self._has_logged_failure = True
                _logger.warning(
                    "Message content cannot be serialized as JSON (%s). It is withheld "
                    "from MLflow. This is logged once.",
                    type(error).__name__,
                )
            return json.dumps(f"withheld: {type(error).__name__}")


def _to_json_type(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, (bytes, bytearray)):
        return b64encode(value).decode()
    return str(value)


def _load_next_hook() -> _CompletionHook | None:
    name = os.environ.get(OTEL_EXPORTER_MLFLOW_NEXT_COMPLETION_HOOK, "").strip()
    if not name:
        return None
    hooks = {hook.name: hook for hook in entry_points(group=_ENTRY_POINT_GROUP)}
    hooks.pop(_ENTRY_POINT_NAME, None)
    if name not in hooks:
        raise ValueError(
            f"{OTEL_EXPORTER_MLFLOW_NEXT_COMPLETION_HOOK} must be the name of another "
            f"completion hook ({', '.join(sorted(hooks)) or 'none is installed'}); got "
            f"{name!r}"
        )
    return cast("_CompletionHook", hooks[name].load()())
