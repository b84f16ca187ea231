"""Message content for MLflow alone: a completion hook of GenAI instrumentations.

    OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK=mlflow

Prompts, reasoning, answers and tools of every instrumentation that uses
`opentelemetry-util-genai` reach MLflow; no span and no event has them, so no other
exporter does. Loaded by the entry point only.
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

_GROUP = "opentelemetry_genai_completion_hook"
_US = "mlflow"


class _Hook(Protocol):
    def on_completion(self, **said: Any) -> None: ...


class MlflowCompletionHook:
    """Keeps what was said until the span is exported; then it is the next hook's turn.

    Raises ValueError: OTEL_EXPORTER_MLFLOW_NEXT_COMPLETION_HOOK names no other hook.
    """

    def __init__(self) -> None:
        self._next = _next_hook()
        self._said_why = False
        pending_content.is_used = True

    def on_completion(  # the words of opentelemetry.util.genai.completion_hook
        self,
        *,
        inputs: Sequence[Any] = (),
        outputs: Sequence[Any] = (),
        system_instruction: Sequence[Any] = (),
        tool_definitions: Sequence[Any] | None = None,
        span: Any = None,
        log_record: Any = None,
        **more: Any,
    ) -> None:
        # An ended span is not recording any more, and may be exported only now.
        context = span.context if isinstance(span, ReadableSpan) else None
        if context and context.trace_flags.sampled:
            content = {
                name: self._dumped(said)
                for name, said in (
                    ("gen_ai.system_instructions", system_instruction),
                    ("gen_ai.input.messages", inputs),
                    ("gen_ai.output.messages", outputs),
                    ("gen_ai.tool.definitions", tool_definitions),
                )
                if said
            }
            if content:
                pending_content.keep((context.trace_id, context.span_id), content)
        if self._next is not None:
            self._next.on_completion(
                inputs=inputs,
                outputs=outputs,
                system_instruction=system_instruction,
                tool_definitions=tool_definitions,
                span=span,
                log_record=log_record,
                **more,
            )

    def _dumped(self, said: Sequence[Any]) -> str:
        try:
            return json.dumps(said, ensure_ascii=False, default=_plain)
        except (RecursionError, TypeError, ValueError) as error:
            if not self._said_why:
                self._said_why = True
                _logger.warning(
                    "Message content that is no JSON (%s) is withheld from MLflow. "
                    "(This is said once.)",
                    type(error).__name__,
                )
            return json.dumps(f"withheld: {type(error).__name__}")


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, (bytes, bytearray)):
        return b64encode(value).decode()
    return str(value)


def _next_hook() -> _Hook | None:
    name = os.environ.get(OTEL_EXPORTER_MLFLOW_NEXT_COMPLETION_HOOK, "").strip()
    if not name:
        return None
    others = {hook.name: hook for hook in entry_points(group=_GROUP)}
    others.pop(_US, None)
    if name not in others:
        raise ValueError(
            f"{OTEL_EXPORTER_MLFLOW_NEXT_COMPLETION_HOOK} takes the name of another "
            f"completion hook ({', '.join(sorted(others)) or 'there is none'}), not "
            f"{name!r}"
        )
    return cast("_Hook", others[name].load()())
