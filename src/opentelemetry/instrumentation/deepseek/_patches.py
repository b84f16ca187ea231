"""The methods of the `openai` SDK that are patched, and how patches are applied."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from wrapt import patch_function_wrapper

from ._anthropic_client import (
    ANTHROPIC_CLIENT_MODULE,
    is_supported_version,
    request_wrappers,
)
from ._anthropic_coexistence import (
    ANTHROPIC_INSTRUMENTATION_MODULE,
    CREATE_INVOCATION,
    invocation_wrapper,
)
from ._coexistence import (
    AUTOLOG_PATCHES_MODULE,
    OPENAI_INSTRUMENTATION_MODULES,
    has_wrapper,
    unwrap_other_instrumentations,
)
from ._endpoint import is_deepseek_model
from ._request import request_body
from ._suppress import log_suppressed, suppress_errors

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from types import ModuleType

    from ._endpoint import DeepSeekHosts, Endpoint
    from ._invocation import Invocation
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
_SDK_MODULES: Final = frozenset(target.module for target in PATCH_TARGETS)
ANTHROPIC_MODULES: Final = frozenset(
    {ANTHROPIC_CLIENT_MODULE, ANTHROPIC_INSTRUMENTATION_MODULE}
)
PATCHED_MODULES: Final = (
    _SDK_MODULES
    | ANTHROPIC_MODULES
    | OPENAI_INSTRUMENTATION_MODULES
    | {AUTOLOG_PATCHES_MODULE}
)


class _AppliedPatch(NamedTuple):
    owner: type | ModuleType
    method: str
    original: Any
    wrapper: Any


def _remove_patches(patches: list[_AppliedPatch]) -> None:
    for owner, method, original, wrapper in patches:
        # If another wrapper is outside this one, both stay.
        if vars(owner)[method] is wrapper:
            setattr(owner, method, original)
    patches.clear()


def _start_invocation(
    invocation_class: type[Invocation], *arguments: Any
) -> Invocation | None:
    # Not `with suppress_errors(…)`, here and below: it takes time in every call.
    try:
        return invocation_class(*arguments) if is_instrumentation_enabled() else None
    except Exception as error:  # noqa: BLE001  # telemetry may fail, calls may not
        log_suppressed("starting a span", error)
        return None


class Patches:
    """The patches of one `instrument()`."""

    def __init__(self, hosts: DeepSeekHosts, *signals_arguments: Any) -> None:
        self._hosts = hosts
        self._signals_arguments = signals_arguments
        self._signals: Signals | None = None
        # The SDK stores bound methods (`client.…with_raw_response`) and, with them, the
        # wrapper. After `remove()` such a wrapper must be inactive.
        self._is_active = True
        self._sdk_patches: list[_AppliedPatch] = []
        self._instrumentor_patches: list[_AppliedPatch] = []
        self._anthropic_patches: list[_AppliedPatch] = []
        self._is_reapplying = False

    def apply(self, module: ModuleType) -> None:
        """Patches an imported module of PATCHED_MODULES."""
        if module.__name__ in OPENAI_INSTRUMENTATION_MODULES:
            with suppress_errors("patching another instrumentation"):
                # `BaseInstrumentor` requires every instrumentor to have these methods.
                for method in ("_instrument", "_uninstrument"):
                    self._patch(
                        module.OpenAIInstrumentor,
                        method,
                        self._reapply_around,
                        self._instrumentor_patches,
                    )
        if module.__name__ == AUTOLOG_PATCHES_MODULE:
            with suppress_errors("patching MLflow's autolog"):
                self._patch(
                    module,
                    "revert",
                    self._reapply_after_revert,
                    self._instrumentor_patches,
                )
        if module.__name__ in ANTHROPIC_MODULES and is_supported_version():
            self._apply_to_anthropic(module)
        for target in () if self._is_reapplying else PATCH_TARGETS:
            if target.module != module.__name__:
                continue
            wrappers = self._wrappers(target.operation)
            for prefix, wrapper in zip(("", "Async"), wrappers, strict=True):
                owner: type = getattr(module, prefix + target.class_name)
                for method in target.methods:
                    self._patch(owner, method, wrapper, self._sdk_patches)
                # `Responses.stream` calls `create`, which is patched. Another
                # instrumentation patches `stream` too, as a call of its own.
                if target.class_name == "Responses":
                    self._patch(
                        owner,
                        "stream",
                        self._bypass_other_instrumentations,
                        self._sdk_patches,
                    )

    def _apply_to_anthropic(self, module: ModuleType) -> None:
        patches = self._anthropic_patches
        if module.__name__ == ANTHROPIC_INSTRUMENTATION_MODULE:
            with suppress_errors("patching another instrumentation"):
                wrapper = invocation_wrapper(self._hosts)
                self._patch(module, CREATE_INVOCATION, wrapper, patches)
        if module.__name__ == ANTHROPIC_CLIENT_MODULE:
            wrappers = request_wrappers(self._hosts, self._shared_signals())
            for prefix, wrapper in zip(("Sync", "Async"), wrappers, strict=True):
                owner: type = getattr(module, prefix + "APIClient")
                self._patch(owner, "request", wrapper, patches)

    def remove(self) -> None:
        self._is_active = False
        _remove_patches(self._sdk_patches)
        _remove_patches(self._instrumentor_patches)
        _remove_patches(self._anthropic_patches)

    def _patch(
        self,
        owner: type | ModuleType,
        method: str,
        wrapper: Any,
        patches: list[_AppliedPatch],
    ) -> None:
        original = vars(owner)[method]
        patch_function_wrapper(owner, method, enabled=lambda: self._is_active)(wrapper)
        patches.append(_AppliedPatch(owner, method, original, vars(owner)[method]))

    def _reapply_around(
        self, wrapped: Callable[..., Any], _: Any, args: Any, kwargs: Any
    ) -> Any:
        """Removes the SDK patches while another instrumentor runs, and reapplies them.

        The wrappers of this package are then the outermost again. The other
        instrumentor would remove the outermost wrapper even if it is not its own.
        """
        self._is_reapplying = True
        _remove_patches(self._sdk_patches)
        try:
            return wrapped(*args, **kwargs)
        finally:
            self._is_reapplying = False
            with suppress_errors("patching openai again"):
                for name in _SDK_MODULES:
                    if (module := sys.modules.get(name)) is not None:
                        self.apply(module)

    def _reapply_after_revert(
        self, wrapped: Callable[..., Any], _: Any, args: Any, kwargs: Any
    ) -> Any:
        """Patches again what `mlflow.openai.autolog(disable=True)` has restored.

        It sets the methods that were there before autolog was enabled, whatever has
        been wrapped since.
        """
        result = wrapped(*args, **kwargs)
        with suppress_errors("patching openai again"):
            for patch in list(self._sdk_patches) if self._is_active else ():
                # The function that wrapt calls. There is no public name.
                function = patch.wrapper._self_wrapper  # noqa: SLF001  # as above
                if not has_wrapper(vars(patch.owner)[patch.method], function):
                    self._sdk_patches.remove(patch)
                    self._patch(patch.owner, patch.method, function, self._sdk_patches)
        return result

    def _bypass_other_instrumentations(
        self, wrapped: Callable[..., Any], resource: Any, args: Any, kwargs: Any
    ) -> Any:
        if self._endpoint_of(resource, kwargs) is not None:
            wrapped = unwrap_other_instrumentations(wrapped)
        return wrapped(*args, **kwargs)

    def _shared_signals(self) -> Signals:
        # Imported here because the GenAI library takes a fifth of a second to import.
        from ._signals import Signals

        if self._signals is None:
            self._signals = Signals(*self._signals_arguments)
        return self._signals

    def _wrappers(self, operation_name: str) -> tuple[Any, Any]:
        # As above.
        from ._invocation import AsyncInvocation, Invocation
        from ._operations import OPERATIONS

        signals, operation = self._shared_signals(), OPERATIONS[operation_name]
        start = partial(_start_invocation, Invocation, signals, operation)
        start_async = partial(_start_invocation, AsyncInvocation, signals, operation)

        def sync_wrapper(
            wrapped: Callable[..., Any], resource: Any, args: Any, kwargs: Any
        ) -> Any:
            if (endpoint := self._endpoint_of(resource, kwargs)) is None:
                return wrapped(*args, **kwargs)
            wrapped = unwrap_other_instrumentations(wrapped)
            if (invocation := start(endpoint, kwargs)) is None:
                return wrapped(*args, **kwargs)
            with invocation:
                return invocation.record(wrapped(*args, **kwargs))

        def async_wrapper(
            wrapped: Callable[..., Any], resource: Any, args: Any, kwargs: Any
        ) -> Any:
            if (endpoint := self._endpoint_of(resource, kwargs)) is None:
                return wrapped(*args, **kwargs)
            # Called before the first await, so that wrong arguments raise when the
            # method is called, as in the SDK.
            result = unwrap_other_instrumentations(wrapped)(*args, **kwargs)
            return record_awaited(endpoint, result, kwargs)

        async def record_awaited(
            endpoint: Endpoint, result: Awaitable[Any], kwargs: Any
        ) -> Any:
            if (invocation := start_async(endpoint, kwargs)) is None:
                return await result
            with invocation:
                return invocation.record(await result)

        return sync_wrapper, async_wrapper

    def _endpoint_of(
        self, resource: Any, arguments: Mapping[str, Any]
    ) -> Endpoint | None:
        """Returns None if the call is not recorded."""
        try:
            if (endpoint := self._hosts.endpoint_of(resource)) is None:
                if is_deepseek_model(arguments.get("model")):
                    self._hosts.log_other_host(resource)
                return None
            model = request_body(arguments).get("model")
            return endpoint if endpoint.serves(model) else None
        except Exception as error:  # noqa: BLE001  # as above
            log_suppressed("reading the base URL of a client", error)
            return None
