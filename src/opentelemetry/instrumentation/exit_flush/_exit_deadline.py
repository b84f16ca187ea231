"""How long this process may still send telemetry after it has begun to end."""

from __future__ import annotations

import os
import time
from typing import Final

DEFAULT_TIMEOUT_SECONDS: Final = 5.0


class ExitDeadline:
    """The deadline of a process that ends. Exporters read it.

    An exporter usually waits much longer for a server that does not respond than a
    process may take to end.

    `timeout` is the limit in seconds. At an ordinary exit of the interpreter, which has
    no deadline, an exporter waits as long for a server that does not respond.
    """

    def __init__(self) -> None:
        self.timeout = DEFAULT_TIMEOUT_SECONDS
        self._deadline: float | None = None
        if hasattr(os, "register_at_fork"):  # pragma: no branch  # not on Windows
            # A child may outlive a parent that ends.
            os.register_at_fork(after_in_child=self.reset)

    def start(self, seconds: float) -> None:
        """Start to count. A deadline that has been started already is not changed."""
        if self._deadline is None:
            self._deadline = time.monotonic() + seconds

    def reset(self) -> None:
        self._deadline = None

    def remaining_seconds(self) -> float | None:
        """Return None if the process does not end."""
        if self._deadline is None:
            return None
        return max(self._deadline - time.monotonic(), 0.0)


exit_deadline = ExitDeadline()
