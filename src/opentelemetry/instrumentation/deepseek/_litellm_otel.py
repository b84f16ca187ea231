"""The spans that litellm's callback `otel` makes for calls.

For a call to DeepSeek this package makes the span. The callback makes it otherwise, and
from what it knows after the call: without the provider's name in the conventions, time
to first chunk and cached tokens, and with content unless that is switched off in
litellm's own way. So it makes none for these calls. Its metrics, and its other spans,
remain.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.trace import NoOpTracer

from ._coerce import EMPTY
from ._patch import Patch
from ._suppress import suppress_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import ModuleType

    from opentelemetry.trace import Span

    from ._endpoint import DeepSeekHosts

_OTEL_MODULE: Final = "litellm.integrations.opentelemetry"
# With LITELLM_OTEL_V2=true.
_OTEL_V2_MODULE: Final = "litellm.integrations.otel.logger"
# Those of litellm's functions that are patched; others go to the same hosts.
_CALL_TYPES: Final = frozenset(
    {
        None,
        "acompletion",
        "anthropic_messages",
        "aresponses",
        "atext_completion",
        "completion",
        "responses",
        "text_completion",
    }
)
OTEL_MODULES: Final = frozenset({_OTEL_MODULE, _OTEL_V2_MODULE})


def otel_patches_of(module: ModuleType, hosts: DeepSeekHosts) -> Iterator[Patch]:
    if module.__name__ == _OTEL_MODULE:
        yield Patch(
            module.OpenTelemetry,
            "get_tracer_to_use_for_request",
            partial(_tracer_without_call, (hosts, module)),
        )
    if module.__name__ == _OTEL_V2_MODULE:
        for method, position in (("log_pre_api_call", 2), ("_close_llm_call", 0)):
            wrapper = partial(_skip_call, (hosts, position))
            yield Patch(module.OpenTelemetryV2, method, wrapper)


class _TracerWithoutCall:
    """A tracer that makes no span of some names."""

    def __init__(self, tracer: Any, names: frozenset[str]) -> None:
        self._tracer = tracer
        self._names = names

    def start_span(self, name: str, *args: Any, **kwargs: Any) -> Span:
        tracer = NoOpTracer() if name in self._names else self._tracer
        span: Span = tracer.start_span(name, *args, **kwargs)
        return span

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tracer, name)


def _tracer_without_call(
    context: tuple[DeepSeekHosts, ModuleType],
    wrapped: Callable[..., Any],
    callback: Any,
    args: Any,
    kwargs: Any,
) -> Any:
    hosts, module = context
    tracer = wrapped(*args, **kwargs)
    with suppress_errors("reading a callback of litellm"):
        details = args[0] if args else kwargs["kwargs"]
        # Subclasses send their spans to a vendor.
        if type(callback) is module.OpenTelemetry and _is_recorded(hosts, details):
            names = {callback._get_span_name(details), module.RAW_REQUEST_SPAN_NAME}  # noqa: SLF001  # the name of the span to be left out
            return _TracerWithoutCall(tracer, frozenset(names))
    return tracer


def _skip_call(
    context: tuple[DeepSeekHosts, int],
    wrapped: Callable[..., Any],
    _: Any,
    args: Any,
    kwargs: Any,
) -> Any:
    hosts, position = context
    with suppress_errors("reading a callback of litellm"):
        details = args[position] if len(args) > position else kwargs["kwargs"]
        if _is_recorded(hosts, details):
            return None
    return wrapped(*args, **kwargs)


def _is_recorded(hosts: DeepSeekHosts, details: Mapping[str, Any]) -> bool:
    """Whether this package makes the span of a call that a callback gets."""
    # The context of a callback is that of its call.
    if not is_instrumentation_enabled():
        return False
    if details.get("cache_hit") or details.get("call_type") not in _CALL_TYPES:
        return False
    parameters: Mapping[str, Any] = details.get("litellm_params") or EMPTY
    address = str(parameters.get("api_base") or "")
    endpoint = hosts.endpoint_of_address(address)
    return endpoint is not None and endpoint.serves(details.get("model"))
