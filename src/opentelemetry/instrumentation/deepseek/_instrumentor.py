"""Switches the instrumentation on and off."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, ClassVar

from opentelemetry.instrumentation.instrumentor import (  # type: ignore[attr-defined]  # its file switches mypy off
    BaseInstrumentor,
)
from wrapt import register_post_import_hook

from ._endpoint import Hosts
from ._metrics import dialect
from ._patches import MODULES, Wrapping
from ._suppress import quietly
from .environment_variables import OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS
from .package import _instruments  # pyright: ignore[reportPrivateUsage]  # the name OTel uses

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from types import ModuleType

    from opentelemetry._logs import LoggerProvider
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider


class DeepSeekInstrumentor(BaseInstrumentor):  # type: ignore[misc]  # as above
    """Traces the calls that `openai` clients make to DeepSeek.

    A client is DeepSeek's by its base URL: `*.deepseek.com`, or a host named in
    `hosts`. All other clients are left alone. Clients made before `instrument()` are
    seen too.
    """

    _wrapping: Wrapping | None = None
    _awaited: ClassVar[set[str]] = set()

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
            ValueError: an entry of `hosts`, or a variable, is not what it can be; the
                message names it.
        """
        if hosts is None:
            hosts = os.environ.get(OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS, "")
        self._wrapping = Wrapping(
            Hosts(hosts.split(",") if isinstance(hosts, str) else hosts),
            dialect(),
            tracer_provider,
            meter_provider,
            logger_provider,
        )
        # `import openai` takes a second: a program that never does must not pay.
        for name in MODULES:
            if (module := sys.modules.get(name)) is not None:
                self._wrapping.put_on(module)
            elif name not in self._awaited:
                self._awaited.add(name)  # for good: a hook cannot be taken back
                register_post_import_hook(self._imported, name)

    def _imported(self, module: ModuleType) -> None:
        if self._wrapping is not None:
            with quietly("wrapping openai"):
                self._wrapping.put_on(module)

    def _uninstrument(self, **_: Any) -> None:
        if self._wrapping is not None:
            self._wrapping.take_off()
            self._wrapping = None
