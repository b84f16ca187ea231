"""Applies and removes the patches of all client libraries."""

from __future__ import annotations

import sys
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from . import (
    _anthropic_patches,
    _dspy_patches,
    _http_patches,
    _litellm_patches,
    _openai_patches,
)
from ._coexistence import (
    AUTOLOG_PATCHES_MODULE,
    OPENAI_INSTRUMENTATION_MODULES,
    wrapt_function,
)
from ._function_wrapper import FunctionWrapper
from ._patch import Patch
from ._suppress import suppress_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._endpoint import DeepSeekHosts
    from ._signals import Signals

# Each module says which functions of its client library are patched, and finds the
# endpoint of a call.
_CLIENTS: Final = (
    _openai_patches,
    _anthropic_patches,
    _litellm_patches,
    _dspy_patches,
    _http_patches,
)
# Instrumentors of OpenTelemetry that patch a client as well, by their module.
_INSTRUMENTORS: Final = {
    **dict.fromkeys(
        OPENAI_INSTRUMENTATION_MODULES, ("OpenAIInstrumentor", _openai_patches)
    ),
    "opentelemetry.instrumentation.requests": ("RequestsInstrumentor", _http_patches),
}
# Those that belong to the openai SDK, and to what patches it as well.
OPENAI_MODULES: Final = (
    _openai_patches.MODULES | OPENAI_INSTRUMENTATION_MODULES | {AUTOLOG_PATCHES_MODULE}
)
PATCHED_MODULES: Final = OPENAI_MODULES.union(
    _INSTRUMENTORS, *(client.MODULES for client in _CLIENTS)
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
        if isinstance(owner, ModuleType):
            _replace_references(owner, wrapper, original)
    patches.clear()


def _replace_references(owner: ModuleType, before: Any, after: Any) -> None:
    """Replaces a function of litellm in all modules of litellm that have imported it.

    For example, `litellm` has the functions of `litellm.main`.
    """
    package = owner.__name__.partition(".")[0]
    if package != "litellm":
        return
    modules: list[tuple[str, object]] = list(sys.modules.items())
    for name, module in modules:
        if name.partition(".")[0] == package and isinstance(module, ModuleType):
            for attribute, value in list(vars(module).items()):
                if value is before:
                    setattr(module, attribute, after)


class Patches:
    """The patches of one `instrument()`."""

    def __init__(self, hosts: DeepSeekHosts, *signals_arguments: Any) -> None:
        self._hosts = hosts
        self._signals_arguments = signals_arguments
        self._signals: Signals | None = None
        # The SDK stores bound methods (`client.…with_raw_response`) and, with them, the
        # wrapper. After `remove()` such a wrapper must be inactive: the list is empty
        # then. wrapt would call a function in every call.
        self._active = [True]
        self._patches: dict[ModuleType, list[_AppliedPatch]] = {
            client: [] for client in _CLIENTS
        }
        self._instrumentor_patches: list[_AppliedPatch] = []
        # The client whose patches are removed while another instrumentor runs.
        self._removed_client: ModuleType | None = None

    def apply(self, module: ModuleType) -> None:
        """Patches an imported module of PATCHED_MODULES."""
        if module.__name__ in _INSTRUMENTORS:
            instrumentor, client = _INSTRUMENTORS[module.__name__]
            with suppress_errors("patching another instrumentation"):
                # `BaseInstrumentor` requires every instrumentor to have these methods.
                for method in ("_instrument", "_uninstrument"):
                    self._patch(
                        Patch(
                            getattr(module, instrumentor),
                            method,
                            partial(self._reapply_around, client),
                        ),
                        self._instrumentor_patches,
                    )
        if module.__name__ == AUTOLOG_PATCHES_MODULE:
            with suppress_errors("patching MLflow's autolog"):
                for method, wrapper in (
                    ("get_original_attribute", self._unwrap_for_autolog),
                    ("apply", self._reapply_around_autolog),
                    ("revert", self._reapply_around_autolog),
                ):
                    self._patch(
                        Patch(module, method, wrapper), self._instrumentor_patches
                    )
        for client in _CLIENTS:
            if module.__name__ in client.MODULES and client is not self._removed_client:
                for patch in client.patches_of(
                    module, self._hosts, self._shared_signals
                ):
                    self._patch(patch, self._patches[client])

    def remove(self) -> None:
        self._active.clear()
        for patches in self._patches.values():
            _remove_patches(patches)
        _remove_patches(self._instrumentor_patches)

    def _patch(self, patch: Patch, patches: list[_AppliedPatch]) -> None:
        owner, method, wrapper, make_method = patch
        original = vars(owner)[method]
        if make_method is None:
            patched: Any = FunctionWrapper(original, wrapper, cast("Any", self._active))
        else:
            patched = make_method(original, self._active)
        setattr(owner, method, patched)
        if isinstance(owner, ModuleType):
            _replace_references(owner, original, patched)
        patches.append(_AppliedPatch(owner, method, original, patched))

    def _reapply_around(
        self,
        client: ModuleType,
        wrapped: Callable[..., Any],
        _: Any,
        args: Any,
        kwargs: Any,
    ) -> Any:
        """Removes the patches of a client while another instrumentor runs.

        The wrappers of this package are then the outermost again. The other
        instrumentor would remove the outermost wrapper even if it is not its own.
        """
        self._removed_client = client
        _remove_patches(self._patches[client])
        try:
            return wrapped(*args, **kwargs)
        finally:
            self._removed_client = None
            with suppress_errors("patching a client again"):
                for name in client.MODULES:
                    if (module := sys.modules.get(name)) is not None:
                        self.apply(module)

    def _unwrap_for_autolog(
        self, wrapped: Callable[..., Any], _: Any, args: Any, kwargs: Any
    ) -> Any:
        """Returns the method that autolog calls: the one inside the own wrapper."""
        method = wrapped(*args, **kwargs)
        patches = self._patches[_openai_patches]
        functions = [wrapt_function(patch.wrapper) for patch in patches]
        function = wrapt_function(method)
        if function is not None and any(function is own for own in functions):
            return method.__wrapped__
        return method

    def _reapply_around_autolog(
        self, wrapped: Callable[..., Any], _: Any, args: Any, kwargs: Any
    ) -> Any:
        """Does so while MLflow's autolog patches a method, or restores it.

        It sets the method that was there before it, whatever has been wrapped since.
        """
        patch: Any = args[0] if args else kwargs.get("patch")
        owner: object = getattr(patch, "destination", None)
        if all(
            owner is not applied.owner for applied in self._patches[_openai_patches]
        ):
            return wrapped(*args, **kwargs)
        return self._reapply_around(_openai_patches, wrapped, _, args, kwargs)

    def _shared_signals(self) -> Signals:
        # Imported here because the GenAI library takes a fifth of a second to import.
        from ._signals import Signals

        if self._signals is None:
            self._signals = Signals(*self._signals_arguments)
        return self._signals
