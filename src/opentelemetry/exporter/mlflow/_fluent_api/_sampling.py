"""Whether MLflow would record a trace: its switches, and its share of traces.

MLflow decides where a trace starts, by the trace id. So do these functions: all spans
of a trace, also those of other services, get the same decision.
"""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from typing import Any, Final

from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased

_RATIO: Final = "MLFLOW_TRACE_SAMPLING_RATIO"
# An attribute of each span of MLflow's.
_TRACE_ID: Final = "mlflow.traceRequestId"


def is_disabled() -> bool:
    """Whether `mlflow.tracing.disable()` or `context(enabled=False)` holds here.

    The second one has no public name.
    """
    context: Any = sys.modules.get("mlflow.tracing.context")
    values = context._USER_TRACE_CONTEXT.get() if context else None  # noqa: SLF001  # see the docstring
    if values is not None and values.enabled is False:
        return True
    provider: Any = sys.modules["mlflow.tracing.provider"]
    return not provider.is_tracing_enabled()


def is_fluent_span_sampled() -> bool | None:
    """Whether MLflow records its current span. None if it has none.

    Where MLflow shares OpenTelemetry's context, its current span may be the
    application's, or that of another service.
    """
    provider: Any = sys.modules["mlflow.tracing.provider"]
    current_span = getattr(provider, "get_current_otel_span", None)
    span = current_span() if current_span else None
    if span is None:
        return None
    if span.is_recording():
        return True if _TRACE_ID in (span.attributes or {}) else None
    context = span.get_span_context()
    is_unsampled = context.is_valid and not context.trace_flags.sampled
    return False if is_unsampled and not context.is_remote else None


def sampling_override() -> float | None:
    """The ratio of `@mlflow.trace(sampling_ratio_override=…)` around this code.

    A private name, because there is no public one.
    """
    sampling: Any = sys.modules.get("mlflow.tracing.sampling")
    return sampling._SAMPLING_RATIO_OVERRIDE.get() if sampling else None  # noqa: SLF001  # see the docstring


def sampling_ratio() -> float | None:
    """The ratio for all traces. None if it is not set, or not from 0 to 1."""
    try:
        ratio = float(os.environ[_RATIO])
    except (KeyError, ValueError):
        return None
    return ratio if 0 <= ratio <= 1 else None


def is_in_share(trace_id: int, ratio: float) -> bool:
    decision = _sampler(ratio).should_sample(None, trace_id, "").decision
    return decision is Decision.RECORD_AND_SAMPLE


@lru_cache(maxsize=8)
def _sampler(ratio: float) -> TraceIdRatioBased:
    return TraceIdRatioBased(ratio)
