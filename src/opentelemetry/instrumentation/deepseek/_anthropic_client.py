"""The method through which Anthropic's SDK sends every request, and its wrappers.

`messages.create`, `.stream` and `.parse`, their beta and raw variants, tool runners and
threads all call `client.request`. A wrapper around each of them would be needed
otherwise, and some could tell: `create` warns of a deprecated model at the line that
called it, which would be a line of the wrapper.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from copy import copy
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, cast

from opentelemetry.instrumentation.dependencies import get_dependency_conflicts
from opentelemetry.propagate import inject
from opentelemetry.trace import (
    ProxyTracerProvider,
    get_current_span,
    get_tracer_provider,
)

from ._coerce import EMPTY
from ._endpoint import is_deepseek_model
from ._patch import start_invocation
from ._suppress import log_suppressed, suppress_errors
from .package import anthropic_instruments

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ._endpoint import DeepSeekHosts, Endpoint
    from ._signals import Signals

# The module of `SyncAPIClient` and `AsyncAPIClient`, the base classes of all clients.
ANTHROPIC_CLIENT_MODULE: Final = "anthropic._base_client"
_MESSAGES_PATH: Final = "v1/messages"
_logger: Final = logging.getLogger(__name__)


@cache
def is_supported_version() -> bool:
    """Whether the installed version is a tested one; logs it once if it is not."""
    conflict = get_dependency_conflicts(anthropic_instruments)
    if conflict is None or not conflict.found:
        return True
    _logger.warning(
        "Calls of the anthropic SDK are recorded only as requests of httpx: they need "
        "%s, and %s is installed.",
        conflict.required,
        conflict.found,
    )
    return False


def request_wrappers(hosts: DeepSeekHosts, signals: Signals) -> tuple[Any, Any]:
    """Returns the wrappers of `request` of the synchronous and asynchronous client."""
    # Imported here because the GenAI library takes a fifth of a second to import.
    from ._invocation import AsyncInvocation, Invocation
    from ._operations import OPERATIONS

    recorded_request = partial(_recorded_request, hosts)
    operation = OPERATIONS["messages"]
    start = partial(start_invocation, Invocation, signals, operation)
    start_async = partial(start_invocation, AsyncInvocation, signals, operation)

    def sync_wrapper(
        wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any
    ) -> Any:
        if (request := recorded_request(client, args, kwargs)) is None:
            return wrapped(*args, **kwargs)
        if (invocation := start(*request)) is None:
            return wrapped(*args, **kwargs)
        with invocation:
            if invocation.is_recording:
                args, kwargs = _without_sdk_span(client, args, kwargs)
            return invocation.record(wrapped(*args, **kwargs))

    def async_wrapper(
        wrapped: Callable[..., Any], client: Any, args: Any, kwargs: Any
    ) -> Any:
        if (request := recorded_request(client, args, kwargs)) is None:
            return wrapped(*args, **kwargs)
        return record_awaited(request, wrapped, client, args, kwargs)

    async def record_awaited(
        request: tuple[Endpoint, Mapping[str, Any]],
        wrapped: Callable[..., Awaitable[Any]],
        client: Any,
        args: Any,
        kwargs: Any,
    ) -> Any:
        if (invocation := start_async(*request)) is None:
            return await wrapped(*args, **kwargs)
        with invocation:
            if invocation.is_recording:
                args, kwargs = _without_sdk_span(client, args, kwargs)
            return invocation.record(await wrapped(*args, **kwargs))

    return sync_wrapper, async_wrapper


def _recorded_request(
    hosts: DeepSeekHosts, client: Any, args: Any, kwargs: Any
) -> tuple[Endpoint, Mapping[str, Any]] | None:
    """Returns endpoint and body; None if the request is not recorded."""
    # Not `with suppress_errors(…)`: it takes time in every call.
    try:
        endpoint = hosts.endpoint_of(client)
        options = _options(args, kwargs)
        # The beta methods add `?beta=true`.
        if options.url.partition("?")[0].strip("/") != _MESSAGES_PATH:
            return None
        body = _body(options)
        model = body.get("model")
        if endpoint is None:
            if is_deepseek_model(model):
                hosts.log_other_address(str(client.base_url))
        elif endpoint.serves(model):
            # An option of the client, with the id of the conversation.
            if (open_telemetry := getattr(client, "open_telemetry", None)) is not None:
                body = {**body, "open_telemetry": open_telemetry}
            return endpoint, body
    except Exception as error:  # noqa: BLE001  # telemetry may fail, calls may not
        log_suppressed("reading a request of a client", error)
    return None


def _options(args: Any, kwargs: Any) -> Any:
    # `request(cast_to, options)`
    return args[1] if len(args) > 1 else kwargs["options"]


def _body(options: Any) -> Mapping[str, Any]:
    """Returns the body of a request, over which the SDK merges `extra_body`."""
    fields: object = options.json_data
    body = cast("Mapping[str, Any]", fields) if isinstance(fields, Mapping) else EMPTY
    extra: Mapping[str, Any] | None = options.extra_json
    return {**body, **extra} if extra else body


def _without_sdk_span(client: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """Returns arguments with which the SDK makes no span of its own for a request.

    Since 1.14 the SDK makes one for a request that has the name of a span, and sends
    the context of that span. The current span takes its place.
    """
    options = _options(args, kwargs)
    with suppress_errors("replacing a span of the anthropic SDK"):
        if getattr(options, "span_name", None):
            options = copy(options)
            options.span_name = None
            if _propagates(client):
                options.headers = _headers_with_context(options.headers)
    if len(args) > 1:
        return (args[0], options, *args[2:]), kwargs
    return args, {**kwargs, "options": options}


def _propagates(client: Any) -> bool:
    """Whether the client would send the context of its own span."""
    options = client.open_telemetry
    if not (options["traces"]["enabled"] and options["propagation"]):
        return False
    provider = options.get("tracer_provider") or get_tracer_provider()
    # Without a provider, its span has the context of its parent, if there is one.
    parent = getattr(get_current_span(), "parent", None)
    return parent is not None or not isinstance(provider, ProxyTracerProvider)


def _headers_with_context(headers: Any) -> Mapping[str, Any]:
    carrier: dict[str, str] = {}
    inject(carrier)
    if not isinstance(headers, Mapping):  # the SDK's "not given"
        return carrier
    context_names = {name.lower() for name in carrier}
    other_headers = {
        name: value
        for name, value in cast("Mapping[str, Any]", headers).items()
        if name.lower() not in context_names
    }
    return other_headers | carrier
