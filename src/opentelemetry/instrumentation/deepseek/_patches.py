"""What is wrapped, and how it is put on and taken off."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from wrapt import patch_function_wrapper

from ._coexistence import NEIGHBOURS, beneath
from ._suppress import lost, quietly

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import ModuleType

    from ._endpoint import Hosts, Server
    from ._invocation import Call
    from ._signals import Signals


class Target(NamedTuple):
    """A resource of the SDK; its twin `Async…` stands beside it."""

    module: str
    owner: str
    methods: tuple[str, ...]
    operation: str


# `parse` posts by itself; `stream`, `with_raw_response` and `with_streaming_response`
# go through these.
_RESOURCES: Final = "openai.resources."
TARGETS: Final = (
    Target(_RESOURCES + "chat.completions", "Completions", ("create", "parse"), "chat"),
    Target(_RESOURCES + "completions", "Completions", ("create",), "text_completion"),
    Target(
        _RESOURCES + "responses.responses",
        "Responses",
        ("create", "parse"),
        "responses",
    ),
)
_SDK: Final = frozenset(target.module for target in TARGETS)
MODULES: Final = _SDK | NEIGHBOURS


class _Put(NamedTuple):
    owner: type
    method: str
    original: Any
    wrapper: Any


def _take_off(put: list[_Put]) -> None:
    for owner, method, original, wrapper in put:
        # Where somebody wrapped our wrapper, it stays.
        if vars(owner)[method] is wrapper:
            setattr(owner, method, original)
    put.clear()


def _begun(kind: type[Call], *arguments: Any) -> Call | None:
    # Not `with quietly(…)`, here and below: it takes time, and this is every call's.
    try:
        return kind(*arguments) if is_instrumentation_enabled() else None
    except Exception as error:  # noqa: BLE001  # telemetry is lost, not calls
        lost("starting a span", error)
        return None


class Wrapping:
    """What one `instrument()` puts on; the next one puts on its own."""

    def __init__(self, hosts: Hosts, *signals: Any) -> None:
        self._hosts = hosts
        self._asked = signals
        self._signals: Signals | None = None
        # The SDK keeps bound methods (`client.…with_raw_response`), and with them our
        # wrapper: taken off, it must still be told that it is.
        self._on = True
        self._put: list[_Put] = []
        self._beside: list[_Put] = []
        self._aside = False

    def put_on(self, module: ModuleType) -> None:
        if module.__name__ in NEIGHBOURS:
            with quietly("looking at another instrumentation"):
                # What `BaseInstrumentor` asks of every instrumentor.
                for method in ("_instrument", "_uninstrument"):
                    self._patch(
                        module.OpenAIInstrumentor,
                        method,
                        self._step_aside,
                        self._beside,
                    )
        for target in () if self._aside else TARGETS:
            if target.module != module.__name__:
                continue
            wrappers = self._wrappers(target.operation)
            for name, wrapper in zip(("", "Async"), wrappers, strict=True):
                owner: type = getattr(module, name + target.owner)
                for method in target.methods:
                    self._patch(owner, method, wrapper, self._put)
                # Ours by its `create`; the neighbour makes a call of its own of it.
                if target.owner == "Responses":
                    self._patch(owner, "stream", self._past_neighbours, self._put)

    def take_off(self) -> None:
        self._on = False
        _take_off(self._put)
        _take_off(self._beside)

    def _patch(self, owner: type, method: str, wrapper: Any, put: list[_Put]) -> None:
        original = vars(owner)[method]
        patch_function_wrapper(owner, method, enabled=lambda: self._on)(wrapper)
        put.append(_Put(owner, method, original, vars(owner)[method]))

    def _step_aside(
        self, wrapped: Callable[..., Any], _: Any, args: Any, kwargs: Any
    ) -> Any:
        """While a neighbour puts itself on or takes itself off; then be outermost.

        It would take off the outermost wrapper, whosever that is.
        """
        self._aside = True
        _take_off(self._put)
        try:
            return wrapped(*args, **kwargs)
        finally:
            self._aside = False
            with quietly("wrapping openai again"):
                for name in _SDK:
                    if (module := sys.modules.get(name)) is not None:
                        self.put_on(module)

    def _past_neighbours(
        self, wrapped: Callable[..., Any], resource: Any, args: Any, kwargs: Any
    ) -> Any:
        if self._server_of(resource) is not None:
            wrapped = beneath(wrapped)
        return wrapped(*args, **kwargs)

    def _wrappers(self, operation_name: str) -> tuple[Any, Any]:
        # Only now: the GenAI library costs a fifth of a second to import.
        from ._invocation import Call
        from ._operations import OPERATIONS
        from ._signals import Signals

        if self._signals is None:
            self._signals = Signals(*self._asked)
        signals, operation = self._signals, OPERATIONS[operation_name]
        begin = partial(_begun, Call, signals, operation)

        def call(
            wrapped: Callable[..., Any], resource: Any, args: Any, kwargs: Any
        ) -> Any:
            if (server := self._server_of(resource)) is None:
                return wrapped(*args, **kwargs)
            wrapped = beneath(wrapped)
            if (begun := begin(server, kwargs)) is None:
                return wrapped(*args, **kwargs)
            with begun:
                return begun.observe(wrapped(*args, **kwargs))

        def acall(
            wrapped: Callable[..., Any], resource: Any, args: Any, kwargs: Any
        ) -> Any:
            if (server := self._server_of(resource)) is None:
                return wrapped(*args, **kwargs)
            # Called now, as the SDK is: wrong arguments raise here, not when awaited.
            return awaited(server, beneath(wrapped)(*args, **kwargs), kwargs)

        async def awaited(server: Server, answer: Awaitable[Any], kwargs: Any) -> Any:
            if (begun := begin(server, kwargs)) is None:
                return await answer
            with begun:
                return begun.observe(await answer)

        return call, acall

    def _server_of(self, resource: Any) -> Server | None:
        try:
            return self._hosts.server_of(resource)
        except Exception as error:  # noqa: BLE001  # as above
            lost("looking at a client", error)
            return None
