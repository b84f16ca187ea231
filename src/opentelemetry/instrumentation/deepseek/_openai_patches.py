"""The methods of the `openai` SDK that are patched, and their wrappers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ._awaited_result import coroutine_around
from ._coexistence import unwrap_other_instrumentations
from ._endpoint import is_deepseek_model
from ._patch import Patch, start_invocation
from ._request import request_body
from ._suppress import log_suppressed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import ModuleType

    from ._awaited_result import AwaitedResult
    from ._endpoint import DeepSeekHosts, Endpoint
    from ._signals import Signals


class PatchTarget(NamedTuple):
    """Methods of an SDK class, and of its `Async…` variant in the same module."""

    module: str
    class_name: str
    methods: tuple[str, ...]
    operation: str


# `parse` sends requests itself. `stream`, `with_raw_response` and
# `with_streaming_response` call one of these methods.
_RESOURCES: Final = "openai.resources."
PATCH_TARGETS: Final = (
    PatchTarget(
        _RESOURCES + "chat.completions", "Completions", ("create", "parse"), "chat"
    ),
    PatchTarget(
        _RESOURCES + "completions", "Completions", ("create",), "text_completion"
    ),
    PatchTarget(
        _RESOURCES + "responses.responses",
        "Responses",
        ("create", "parse"),
        "responses",
    ),
)
MODULES: Final = frozenset(target.module for target in PATCH_TARGETS)


def patches_of(
    module: ModuleType, hosts: DeepSeekHosts, signals: Callable[[], Signals]
) -> Iterator[Patch]:
    """Yields the patches of an imported module of MODULES."""
    for target in PATCH_TARGETS:
        if target.module != module.__name__:
            continue
        wrappers = _wrappers(hosts, signals(), target.operation)
        for prefix, wrapper in zip(("", "Async"), wrappers, strict=True):
            owner: type = getattr(module, prefix + target.class_name)
            for method in target.methods:
                yield Patch(owner, method, wrapper)
            # `Responses.stream` calls `create`, which is patched. Another
            # instrumentation patches `stream` too, as a call of its own.
            if target.class_name == "Responses":
                yield Patch(
                    owner, "stream", partial(_bypass_other_instrumentations, hosts)
                )


def _wrappers(
    hosts: DeepSeekHosts, signals: Signals, operation_name: str
) -> tuple[Any, Any]:
    # Imported here because the GenAI library takes a fifth of a second to import.
    from ._invocation import AsyncInvocation, Invocation
    from ._operations import OPERATIONS

    operation = OPERATIONS[operation_name]
    start = partial(start_invocation, Invocation, signals, operation)
    start_async = partial(start_invocation, AsyncInvocation, signals, operation)

    def sync_wrapper(
        wrapped: Callable[..., Any], resource: Any, args: Any, kwargs: Any
    ) -> Any:
        if (endpoint := _endpoint_of(hosts, resource, kwargs)) is None:
            return wrapped(*args, **kwargs)
        wrapped = unwrap_other_instrumentations(wrapped)
        if (invocation := start(endpoint, kwargs)) is None:
            return wrapped(*args, **kwargs)
        with invocation:
            return invocation.record(wrapped(*args, **kwargs))

    def async_wrapper(
        wrapped: Callable[..., Any], resource: Any, args: Any, kwargs: Any
    ) -> Any:
        if (endpoint := _endpoint_of(hosts, resource, kwargs)) is None:
            return wrapped(*args, **kwargs)
        # Called before the first await, so that wrong arguments raise when the
        # method is called, as in the SDK.
        result = unwrap_other_instrumentations(wrapped)(*args, **kwargs)
        return coroutine_around(result, record_awaited, endpoint, kwargs)

    async def record_awaited(
        result: AwaitedResult, endpoint: Endpoint, kwargs: Any
    ) -> Any:
        if (invocation := start_async(endpoint, kwargs)) is None:
            return await result.awaitable
        with invocation:
            return invocation.record(await result.awaitable)

    return sync_wrapper, async_wrapper


def _bypass_other_instrumentations(
    hosts: DeepSeekHosts,
    wrapped: Callable[..., Any],
    resource: Any,
    args: Any,
    kwargs: Any,
) -> Any:
    if _endpoint_of(hosts, resource, kwargs) is not None:
        wrapped = unwrap_other_instrumentations(wrapped)
    return wrapped(*args, **kwargs)


def _endpoint_of(
    hosts: DeepSeekHosts, resource: Any, arguments: Mapping[str, Any]
) -> Endpoint | None:
    """Returns None if the call is not recorded."""
    # Not `with suppress_errors(…)`: it takes time in every call.
    try:
        # `_client` is private, but there is no other way from a resource to its
        # client. Since 1.0 every resource has it.
        client = resource._client  # noqa: SLF001
        if (endpoint := hosts.endpoint_of(client)) is None:
            if is_deepseek_model(arguments.get("model")):
                hosts.log_other_address(str(client.base_url))
            return None
        model = request_body(arguments).get("model")
        return endpoint if endpoint.serves(model) else None
    except Exception as error:  # noqa: BLE001  # telemetry may fail, calls may not
        log_suppressed("reading the base URL of a client", error)
        return None
