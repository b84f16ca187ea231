"""Records a call once that `mlflow.openai.autolog()` records, too.

Autolog wraps the methods of the openai SDK inside the wrappers of the DeepSeek
instrumentation. While the span of such a call is the current one, autolog gets a span
that is not recorded. Its inputs and outputs are the content of the call for MLflow,
unless content capture is on: a program that enables autolog has asked for that.

https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/openai/autolog.py
"""

from __future__ import annotations

import json
import sys
import weakref
from typing import TYPE_CHECKING, Any, Final

from wrapt import patch_function_wrapper

from opentelemetry.exporter.mlflow._content._pending import pending_content
from opentelemetry.exporter.mlflow._fluent_api._sampling import sampling_ratio
from opentelemetry.exporter.mlflow._fluent_api._span_settings import span_settings
from opentelemetry.exporter.mlflow._mapping import (
    OPENAI_FORMAT,
    SPAN_INPUTS,
    SPAN_OUTPUTS,
)
from opentelemetry.exporter.mlflow._mlflow_bridge._missing_names import (
    log_missing_name,
)
from opentelemetry.exporter.mlflow._mlflow_bridge._span_selection import is_selected
from opentelemetry.exporter.mlflow._mlflow_bridge._started_spans import ids_of
from opentelemetry.exporter.mlflow._trace_info._call_costs import is_deepseek_call

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Protocol

    from opentelemetry.sdk.trace import ReadableSpan, Span

    class Bridge(Protocol):
        """What the patch needs of `MlflowBridge`."""

        def is_exported_to(self, tracking_uri: str) -> bool: ...
        def current_application_span(self) -> Span | None: ...


_CONSEQUENCE: Final = "Calls that mlflow.openai.autolog() records, too, have two spans"
_CONTENT: Final = ("gen_ai.input.messages", "gen_ai.output.messages")
# Arguments of the SDK's methods that are not in the body; headers may have secrets.
_NO_CONTENT: Final = ("extra_headers", "extra_query", "timeout")

_autolog_spans: Final[dict[tuple[int, int], Any]] = {}


def patch_autolog(module: ModuleType, bridge: Bridge) -> None:
    """Patch the private function with which autolog starts a span.

    Autolog has no public switch for single calls.
    """

    def start_span(
        wrapped: Callable[..., Any], _instance: Any, args: Any, kwargs: Any
    ) -> Any:
        try:
            if (call := _exported_call(bridge)) is not None:
                span = span_class(kwargs["inputs"] if "inputs" in kwargs else args[1])
                _hold_until_released(call, span)
                return span
        except Exception as error:  # noqa: BLE001  # autolog must get a span
            log_missing_name(_CONSEQUENCE, error)
        return wrapped(*args, **kwargs)

    try:
        span_class = _autolog_span_class()
        patch_function_wrapper(module, "_start_span")(start_span)
    except AttributeError as error:
        log_missing_name(_CONSEQUENCE, error)


def _exported_call(bridge: Bridge) -> Span | None:
    """The current span, if it is that of a call and goes where autolog's would go."""
    span = bridge.current_application_span()
    if (
        span is None
        or not is_deepseek_call(span)
        or not span.get_span_context().trace_flags.sampled
        or span_settings.is_excluded(span.context)
        or not bridge.is_exported_to(str(sys.modules["mlflow"].get_tracking_uri()))
    ):
        return None
    return span


def _autolog_span_class() -> type[Any]:
    from mlflow.entities.span import NoOpSpan

    class AutologSpan(NoOpSpan):
        """Keeps inputs and outputs."""

        def __init__(self, inputs: Any) -> None:
            super().__init__()  # type: ignore[no-untyped-call]  # MLflow's code
            self.call_inputs, self.call_outputs = inputs, None

        def end(self, outputs: Any | None = None, *_: Any, **__: Any) -> None:
            self.call_outputs = outputs

    return AutologSpan


def _hold_until_released(call: Span, autolog_span: Any) -> None:
    key = ids_of(call)
    _autolog_spans[key] = autolog_span
    weakref.finalize(call, _autolog_spans.pop, key, None).atexit = False


def add_autolog_content(call: ReadableSpan) -> None:
    """Add the content for MLflow when the span of a call ends. May raise."""
    key = ids_of(call)
    span = _autolog_spans.pop(key, None)
    if (
        span is None
        or not (call.attributes or {}).keys().isdisjoint(_CONTENT)
        or not is_selected(call, sampling_ratio())
    ):
        return
    inputs = {
        name: value
        for name, value in span.call_inputs.items()
        if name not in _NO_CONTENT
    }
    content = dict(OPENAI_FORMAT)
    for name, value in ((SPAN_INPUTS, inputs), (SPAN_OUTPUTS, span.call_outputs)):
        if value is not None:
            content[name] = _encode(value)
    pending_content.add_default(key, content)


def _encode(value: Any) -> str:
    from mlflow.tracing.utils import TraceJSONEncoder

    return json.dumps(value, cls=TraceJSONEncoder, ensure_ascii=False)
