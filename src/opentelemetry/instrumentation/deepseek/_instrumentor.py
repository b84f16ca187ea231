"""Puts a `ChatCall` around the SDK's methods, and takes it off again."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.instrumentation.instrumentor import (  # type: ignore[attr-defined]  # its file switches mypy off
    BaseInstrumentor,
)
from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from wrapt import patch_function_wrapper, register_post_import_hook

from ._client import Hosts
from ._quietly import quietly
from .environment_variables import OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS
from .package import _instruments  # pyright: ignore[reportPrivateUsage]  # the name OTel uses

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable
    from types import ModuleType

    from opentelemetry._logs import LoggerProvider
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from ._call import ChatCall
    from ._client import Server

_MODULE: Final = "openai.resources.chat.completions"
# `parse` posts by itself; `stream` and `with_raw_response` go through these two.
_METHODS: Final = (
    ("Completions", "create"),
    ("Completions", "parse"),
    ("AsyncCompletions", "create"),
    ("AsyncCompletions", "parse"),
)


class DeepSeekInstrumentor(BaseInstrumentor):  # type: ignore[misc]  # as above
    """Traces the calls that `openai` clients make to DeepSeek.

    A client is DeepSeek's by its base URL: `*.deepseek.com`, or a host named in
    `hosts`. All other clients are left alone. Clients made before `instrument()` are
    seen too.
    """

    _wrapping: _Wrapping | None = None
    _awaits_import = False

    def instrumentation_dependencies(self) -> Collection[str]:
        return _instruments

    def _instrument(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        logger_provider: LoggerProvider | None = None,
        hosts: Iterable[str] | None = None,
        **_: Any,
    ) -> None:
        """Start tracing.

        Args of `instrument()`:
            tracer_provider, meter_provider, logger_provider: where telemetry goes;
                the global ones by default.
            hosts: hosts that speak DeepSeek's API, each `host` or `host:port`, or `*`;
                by default those in OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS.

        Raises:
            ValueError: an entry of `hosts`, or of the variable, is no host.
        """
        if hosts is None:
            hosts = os.environ.get(OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS, "")
        self._wrapping = _Wrapping(
            Hosts(hosts.split(",") if isinstance(hosts, str) else hosts),
            tracer_provider,
            meter_provider,
            logger_provider,
        )
        # `import openai` takes a second: a program that never does must not pay.
        if (module := sys.modules.get(_MODULE)) is not None:
            self._wrapping.put_on(module)
        elif not self._awaits_import:
            self._awaits_import = True
            register_post_import_hook(self._imported, _MODULE)

    def _imported(self, module: ModuleType) -> None:
        if self._wrapping is not None:
            with quietly("wrapping openai"):
                self._wrapping.put_on(module)

    def _uninstrument(self, **_: Any) -> None:
        if self._wrapping is not None:
            self._wrapping.take_off()
            self._wrapping = None


class _Wrapping:
    """What one `instrument()` puts on; the next one puts on its own."""

    def __init__(self, hosts: Hosts, *providers: Any) -> None:
        self._hosts = hosts
        self._providers = providers
        # The SDK keeps bound methods (`client.…with_raw_response`), and with them our
        # wrapper: taken off, it must still be told that it is.
        self._on = True
        self._put: list[tuple[type, str, Any, Any]] = []

    def put_on(self, module: ModuleType) -> None:
        # Only now: the GenAI library costs a fifth of a second to import.
        from ._call import ChatCall
        from ._inference import Signals

        signals = Signals(*self._providers)

        def begin(server: Server, arguments: dict[str, Any]) -> ChatCall | None:
            with quietly("starting a span"):
                return ChatCall(signals, server, arguments)
            return None

        def call(
            wrapped: Callable[..., Any], resource: Any, args: Any, kwargs: Any
        ) -> Any:
            server = self._server_of(resource)
            if server is None or (chat := begin(server, kwargs)) is None:
                return wrapped(*args, **kwargs)
            with chat:
                return chat.observe(wrapped(*args, **kwargs))

        def acall(
            wrapped: Callable[..., Any], resource: Any, args: Any, kwargs: Any
        ) -> Any:
            # Called now, as the SDK is: wrong arguments raise here, not when awaited.
            answer = wrapped(*args, **kwargs)
            server = self._server_of(resource)
            return answer if server is None else awaited(server, answer, kwargs)

        async def awaited(server: Server, answer: Awaitable[Any], kwargs: Any) -> Any:
            if (chat := begin(server, kwargs)) is None:
                return await answer
            with chat:
                return chat.observe(await answer)

        for owner_name, method in _METHODS:
            owner: type = getattr(module, owner_name)
            original = vars(owner)[method]
            patch_function_wrapper(owner, method, enabled=lambda: self._on)(
                acall if owner_name.startswith("Async") else call
            )
            self._put.append((owner, method, original, vars(owner)[method]))

    def take_off(self) -> None:
        self._on = False
        for owner, method, original, wrapper in self._put:
            # Where somebody wrapped our wrapper, it stays, switched off.
            if vars(owner)[method] is wrapper:
                setattr(owner, method, original)

    def _server_of(self, resource: Any) -> Server | None:
        with quietly("looking at a client"):
            if is_instrumentation_enabled():
                return self._hosts.server_of(resource)
        return None
