"""`ExitFlushInstrumentor`, which switches the flush on and off."""

from __future__ import annotations

import logging
import math
import os
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.instrumentation.instrumentor import (  # type: ignore[attr-defined]  # its file switches mypy off
    BaseInstrumentor,
)

from opentelemetry.instrumentation.exit_flush._child_processes import ChildProcesses
from opentelemetry.instrumentation.exit_flush._default_action import DefaultAction
from opentelemetry.instrumentation.exit_flush._exit_deadline import (
    DEFAULT_TIMEOUT_SECONDS,
    exit_deadline,
)
from opentelemetry.instrumentation.exit_flush._flush import exit_flush
from opentelemetry.instrumentation.exit_flush._forks import ForkSignalMask
from opentelemetry.instrumentation.exit_flush._signal_watch import SignalWatch
from opentelemetry.instrumentation.exit_flush.environment_variables import (
    OTEL_INSTRUMENTATION_EXIT_FLUSH_TIMEOUT,
)

if TYPE_CHECKING:
    from collections.abc import Collection

# Arguments that only `opentelemetry-instrument` passes.
_AUTOMATIC_ARGUMENTS: Final = frozenset(
    {"skip_dep_check", "raise_exception_on_conflict"}
)

_logger: Final = logging.getLogger("opentelemetry.instrumentation.exit_flush")

_default_action: Final = DefaultAction(exit_flush)
_fork_signal_mask: Final = ForkSignalMask(_default_action)
_child_processes: Final = ChildProcesses(exit_flush, SignalWatch(_default_action))


class ExitFlushInstrumentor(BaseInstrumentor):  # type: ignore[misc]  # as above
    """Flushes the global providers when the process ends."""

    def instrument(self, **kwargs: Any) -> None:
        """Starts to flush at the end of the process.

        If the flush is enabled already, only the timeout is replaced, if there is one.

        Under `opentelemetry-instrument` an invalid timeout is logged, and the default
        is used. An error would stop it before it loads the other instrumentations.

        Args:
            timeout: seconds that the flush may take; default:
                OTEL_INSTRUMENTATION_EXIT_FLUSH_TIMEOUT, then 5.

        Raises:
            ValueError: if the timeout is not a positive number; the message names the
                setting.
        """
        if self.is_instrumented_by_opentelemetry:
            if (timeout := kwargs.get("timeout")) is not None:
                exit_flush.timeout = exit_deadline.timeout = _read_timeout(timeout)
            return
        try:
            super().instrument(**kwargs)
        except ValueError as error:
            if _AUTOMATIC_ARGUMENTS.isdisjoint(kwargs):
                raise
            _logger.error("%s The default is used.", error)  # noqa: TRY400  # the message is sufficient
            super().instrument(**kwargs, timeout=DEFAULT_TIMEOUT_SECONDS)

    def instrumentation_dependencies(self) -> Collection[str]:
        return ()

    def _instrument(self, *, timeout: float | None = None, **_: Any) -> None:
        """The implementation of `instrument()`."""
        exit_flush.timeout = exit_deadline.timeout = _read_timeout(timeout)
        try:
            _default_action.install()
        except ValueError:
            _logger.warning(
                "No telemetry is sent at the end of a process by a signal, because "
                "ExitFlushInstrumentor().instrument() was not called in the main "
                "thread."
            )
        else:
            _default_action.wrap_functions()
            _fork_signal_mask.install()
        _child_processes.install()

    def _uninstrument(self, **_: Any) -> None:
        _child_processes.remove()
        try:
            _default_action.remove()
        except ValueError:
            _logger.debug("Not in the main thread: the signal handlers stay")
        exit_flush.timeout = None
        exit_deadline.timeout = DEFAULT_TIMEOUT_SECONDS


def _read_timeout(argument: float | None) -> float:
    value: float | str
    if argument is not None:
        name, value = "timeout", argument
    elif text := os.environ.get(OTEL_INSTRUMENTATION_EXIT_FLUSH_TIMEOUT, "").strip():
        name, value = OTEL_INSTRUMENTATION_EXIT_FLUSH_TIMEOUT, text
    else:
        return DEFAULT_TIMEOUT_SECONDS
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ValueError(
            f"{name} is {value!r}. It must be a positive number of seconds, for "
            f"example {DEFAULT_TIMEOUT_SECONDS:g}."
        )
    return seconds
