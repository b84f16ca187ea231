"""What is wrapped, and how it is put on and taken off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from wrapt import patch_function_wrapper

from ._quietly import quietly

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import ModuleType

    from ._call import Call
    from ._client import Hosts, Server
    from ._inference import Signals


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


class Wrapping:
    """What one `instrument()` puts on; the next one puts on its own."""

    def __init__(self, hosts: Hosts, *signals: Any) -> None:
        self._hosts = hosts
        self._asked = signals
        self._signals: Signals | None = None
        # The SDK keeps bound methods (`client.…with_raw_response`), and with them our
        # wrapper: taken off, it must still be told that it is.
        self._on = True
        self._put: list[tuple[type, str, Any, Any]] = []

    def put_on(self, module: ModuleType) -> None:
        for target in TARGETS:
            if target.module != module.__name__:
                continue
            wrappers = self._wrappers(target.operation)
            for name, wrapper in zip(("", "Async"), wrappers, strict=True):
                owner: type = getattr(module, name + target.owner)
                for method in target.methods:
                    original = vars(owner)[method]
                    patch_function_wrapper(owner, method, enabled=lambda: self._on)(
                        wrapper
                    )
                    self._put.append((owner, method, original, vars(owner)[method]))

    def take_off(self) -> None:
        self._on = False
        for owner, method, original, wrapper in self._put:
            # Where somebody wrapped our wrapper, it stays, switched off.
            if vars(owner)[method] is wrapper:
                setattr(owner, method, original)

    def _wrappers(self, operation_name: str) -> tuple[Any, Any]:
        # Only now: the GenAI library costs a fifth of a second to import.
        from ._call import Call
        from ._inference import Signals
        from ._operations import OPERATIONS

        if self._signals is None:
            self._signals = Signals(*self._asked)
        signals, operation = self._signals, OPERATIONS[operation_name]

        def begin(server: Server, arguments: dict[str, Any]) -> Call | None:
            with quietly("starting a span"):
                return Call(signals, operation, server, arguments)
            return None

        def call(
            wrapped: Callable[..., Any], resource: Any, args: Any, kwargs: Any
        ) -> Any:
            server = self._server_of(resource)
            if server is None or (begun := begin(server, kwargs)) is None:
                return wrapped(*args, **kwargs)
            with begun:
                return begun.observe(wrapped(*args, **kwargs))

        def acall(
            wrapped: Callable[..., Any], resource: Any, args: Any, kwargs: Any
        ) -> Any:
            # Called now, as the SDK is: wrong arguments raise here, not when awaited.
            answer = wrapped(*args, **kwargs)
            server = self._server_of(resource)
            return answer if server is None else awaited(server, answer, kwargs)

        async def awaited(server: Server, answer: Awaitable[Any], kwargs: Any) -> Any:
            if (begun := begin(server, kwargs)) is None:
                return await answer
            with begun:
                return begun.observe(await answer)

        return call, acall

    def _server_of(self, resource: Any) -> Server | None:
        with quietly("looking at a client"):
            if is_instrumentation_enabled():
                return self._hosts.server_of(resource)
        return None
