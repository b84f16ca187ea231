"""What other libraries do before the providers are flushed for the last time."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_logger = logging.getLogger("opentelemetry.instrumentation.exit_flush")


class BeforeFlush:
    """Functions to call before the flush, for example to end spans that are open.

    They are called in a thread of their own. A forked child inherits them.
    """

    def __init__(self) -> None:
        # A dict is a set with an order.
        self._functions: dict[Callable[[], object], None] = {}

    def register(self, function: Callable[[], object]) -> None:
        """Registering a function twice has no effect."""
        self._functions[function] = None

    def call(self) -> None:
        for function in list(self._functions):
            _call(function)


def _call(function: Callable[[], object]) -> None:
    try:
        function()
    except Exception:
        _logger.debug("A function before the flush failed", exc_info=True)


before_flush = BeforeFlush()
