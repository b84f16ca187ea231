"""Keeps OpenTelemetry's context right while MLflow has an active span.

MLflow's active span is the current span of OpenTelemetry, too, so that the spans
beneath it find their parent. The setting MLFLOW_TRACE_PROPAGATE_TO_OTEL_CONTEXT says
so; where MLflow has a context of its own and does not know the setting yet, the patches
do what it says. A span that MLflow does not record, because tracing is disabled or the
trace is not sampled, must not hide the current span of the application.

https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/tracing/provider.py
https://github.com/mlflow/mlflow/blob/v3.10.1/mlflow/tracing/provider.py
"""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from wrapt import patch_function_wrapper

from opentelemetry import context, trace

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from contextvars import Token
    from types import ModuleType

    from opentelemetry.context import Context

PROPAGATION_SETTING: Final = "MLFLOW_TRACE_PROPAGATE_TO_OTEL_CONTEXT"


class _Tokens(NamedTuple):
    """What MLflow detaches later: its own context and that of OpenTelemetry."""

    mlflow: Any
    otel: Token[Context]


def patch_context(
    provider: ModuleType,
    is_active: Callable[[], bool],
    on_error: Callable[[Exception], object],
) -> None:
    """Patch the functions through which all spans of MLflow become active.

    Raises AttributeError if one does not exist. Then none is patched.
    """

    def set_span(
        wrapped: Callable[..., Any], _instance: Any, args: Any, kwargs: Any
    ) -> Any:
        previous = context.get_current()
        token = wrapped(*args, **kwargs)
        if is_active():
            try:
                return _correct_context(
                    args[0] if args else kwargs["span"], token, previous
                )
            except Exception as error:  # noqa: BLE001  # MLflow's span is active
                on_error(error)
        return token

    def detach(
        wrapped: Callable[..., Any], _instance: Any, args: Any, kwargs: Any
    ) -> Any:
        token = args[0] if args else kwargs.get("token")
        if not isinstance(token, _Tokens):
            return wrapped(*args, **kwargs)
        context.detach(token.otel)
        return wrapped(token.mlflow)

    for name in ("set_span_in_context", "detach_span_from_context"):
        getattr(provider, name)
    patch_function_wrapper(provider, "set_span_in_context")(set_span)
    patch_function_wrapper(provider, "detach_span_from_context")(detach)


def _correct_context(mlflow_span: Any, token: Any, previous: Context) -> Any:
    """Return the token for MLflow's `detach_span_from_context`."""
    span: trace.Span = mlflow_span._span  # noqa: SLF001  # there is no public name
    if not span.is_recording():
        if context.get_current() is not previous:
            # MLflow's `detach` restores the context from before its own `attach`.
            context.attach(previous)
    elif trace.get_current_span() is not span and _is_propagated():
        return _Tokens(token, context.attach(trace.set_span_in_context(span)))
    return token


def _is_propagated() -> bool:
    return os.environ.get(PROPAGATION_SETTING, "").lower() in ("true", "1")


def patch_use_span(fluent: Any, is_active: Callable[[], bool]) -> None:
    """Patch the other way in which spans of old versions become active.

    They use the function `use_span` of OpenTelemetry's module, which they call
    `trace_api`.

    https://github.com/mlflow/mlflow/blob/v3.5.1/mlflow/tracing/fluent.py
    """
    if not hasattr(fluent, "with_active_span") and hasattr(fluent, "trace_api"):
        fluent.trace_api = _TraceApi(fluent.trace_api, is_active)


class _TraceApi:
    """OpenTelemetry's module `trace`, as the fluent API of MLflow sees it."""

    def __init__(self, module: Any, is_active: Callable[[], bool]) -> None:
        self._module = module
        self._is_active = is_active

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def use_span(
        self, span: trace.Span, *args: Any, **kwargs: Any
    ) -> AbstractContextManager[Any]:
        if self._is_active() and not span.is_recording():
            return nullcontext(span)
        active_span: AbstractContextManager[Any] = self._module.use_span(
            span, *args, **kwargs
        )
        return active_span
