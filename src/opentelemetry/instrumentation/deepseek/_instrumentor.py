"""`DeepSeekInstrumentor`, which applies and removes the patches."""

from __future__ import annotations

import logging
import os
import sys
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final

from opentelemetry.instrumentation.dependencies import get_dependency_conflicts
from opentelemetry.instrumentation.instrumentor import (  # type: ignore[attr-defined]  # its file switches mypy off
    BaseInstrumentor,
)
from opentelemetry.trace import ProxyTracerProvider, get_tracer_provider
from wrapt import register_post_import_hook

from ._endpoint import DeepSeekHosts
from ._metrics import metrics_from_environment
from ._patches import OPENAI_MODULES, PATCHED_MODULES, Patches
from ._suppress import suppress_errors
from .environment_variables import OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS
from .package import _instruments  # pyright: ignore[reportPrivateUsage]  # the name OTel uses

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from types import ModuleType

    from opentelemetry._logs import LoggerProvider
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider
# The name of the variable in OpenTelemetry's SDK, which may be missing.
OTEL_TRACES_EXPORTER: Final = "OTEL_TRACES_EXPORTER"

# Arguments that only `opentelemetry-instrument` passes.
_AUTOMATIC_ARGUMENTS: Final = frozenset(
    {"skip_dep_check", "raise_exception_on_conflict"}
)

_logger: Final = logging.getLogger(__name__)


class DeepSeekInstrumentor(BaseInstrumentor):  # type: ignore[misc]  # as above
    """Instruments calls of `openai`, `anthropic`, litellm and DSPy to DeepSeek.

    The host of a call decides: it is `*.deepseek.com`, or one of `hosts`. If `hosts`
    has `*`, the model decides for all other hosts.
    All other calls are not instrumented. Clients created before `instrument()` are
    instrumented too.
    """

    _patches: Patches | None = None
    _arguments: Mapping[str, Any] = MappingProxyType({})
    _hooked_modules: ClassVar[set[str]] = set()

    def instrument(self, **kwargs: Any) -> None:
        """Starts to instrument calls.

        If calls are instrumented already, as when a cell of a notebook runs again, the
        environment is read again, and each argument replaces the one of the call
        before. Calls that have begun end as they began.

        Under `opentelemetry-instrument` an invalid setting is logged instead. An error
        would stop it before it loads the other instrumentations.

        Args:
            tracer_provider: receives the spans; default: the global provider.
            meter_provider: receives the metrics; default: the global provider.
            logger_provider: receives the events; default: the global provider.
            hosts: hosts that serve DeepSeek's API, each `host` or `host:port`; one of
                these and `=provider` for a host of another provider; or `*` for calls
                of DeepSeek's models at every host; default:
                OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS.

        Raises:
            ValueError: if `hosts` or an environment variable is invalid; the message
                names the variable and the accepted values.
        """
        is_automatic = not _AUTOMATIC_ARGUMENTS.isdisjoint(kwargs)
        arguments = {**self._arguments, **_given(kwargs)}
        try:
            if self.is_instrumented_by_opentelemetry:
                self._instrument(**arguments)
            else:
                if is_automatic or OTEL_TRACES_EXPORTER in os.environ:
                    _log_missing_configurator()
                # `_instrument` checks the version of openai: the other clients are
                # instrumented without it, too.
                super().instrument(**arguments, skip_dep_check=True)
            self._arguments = arguments
        except ValueError as error:
            if not is_automatic:
                raise
            _logger.error("Calls to DeepSeek are not recorded: %s", error)  # noqa: TRY400  # the message is sufficient

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
        """The implementation of `instrument()`."""
        # opentelemetry-instrument checks only the requirements of an extra that is
        # named `instruments`; see pyproject.toml.
        modules = PATCHED_MODULES
        conflict = get_dependency_conflicts(_instruments)
        if conflict is not None and conflict.found:
            _logger.warning(
                "Calls of the openai SDK are recorded only as requests of httpx: they "
                "need %s, and %s is installed.",
                conflict.required,
                conflict.found,
            )
            modules -= OPENAI_MODULES
        if hosts is None:
            hosts = os.environ.get(OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS, "")
        patches = Patches(
            DeepSeekHosts(hosts.split(",") if isinstance(hosts, str) else hosts),
            metrics_from_environment(),
            tracer_provider,
            meter_provider,
            logger_provider,
        )
        self._uninstrument()  # what a call before has patched
        self._patches = patches
        # `import openai` takes a second, and litellm several, so none is imported here.
        # A module that is imported later is patched by a hook.
        for name in modules:
            if (module := sys.modules.get(name)) is not None:
                self._on_import(module)
            elif name not in self._hooked_modules:
                # Only once in a process: wrapt cannot remove a hook.
                self._hooked_modules.add(name)
                register_post_import_hook(self._on_import, name)

    def _on_import(self, module: ModuleType) -> None:
        if self._patches is not None:
            with suppress_errors("patching a client"):
                self._patches.apply(module)

    def _uninstrument(self, **_: Any) -> None:
        if self._patches is not None:
            self._patches.remove()
            self._patches = None
        self._arguments = MappingProxyType({})


def _given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the arguments that are not None, in a form that can be read again."""
    given = {
        name: value
        for name, value in arguments.items()
        if value is not None and name not in _AUTOMATIC_ARGUMENTS
    }
    if not isinstance(hosts := given.get("hosts", ""), str):
        given["hosts"] = tuple(hosts)
    return given


def _log_missing_configurator() -> None:
    """Logs that `opentelemetry-instrument` runs without a distribution.

    It then sets no tracer provider, whatever the environment says.
    """
    if entry_points(group="opentelemetry_configurator") or not isinstance(
        get_tracer_provider(), ProxyTracerProvider
    ):
        return
    if OTEL_TRACES_EXPORTER in os.environ:
        _logger.warning(
            "%s has no effect, because no package configures OpenTelemetry's SDK. "
            "Install opentelemetry-distro.",
            OTEL_TRACES_EXPORTER,
        )
    else:
        _logger.warning(
            "No span is recorded unless the program sets a tracer provider, because no "
            "package configures OpenTelemetry's SDK. Install opentelemetry-distro."
        )
