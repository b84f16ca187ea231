"""Sends requests, and those that wait in a queue.

A request is sent by the thread that exports it. If the destination does not accept it,
the request waits, and a thread in the background sends it again. Exports do not wait
for that thread: while the destination accepts nothing, new requests join the queue.
"""

from __future__ import annotations

from time import monotonic, sleep
from typing import TYPE_CHECKING

from opentelemetry.exporter.mlflow._delivery._running_exports import RunningExports
from opentelemetry.exporter.mlflow._destinations import exit_clock, export_deadline
from opentelemetry.exporter.mlflow._timer import BackgroundTimer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._delivery._request_delivery import (
        RequestDelivery,
    )
    from opentelemetry.exporter.mlflow._delivery._request_queue import RequestQueue

# A shutdown goes on as long as requests succeed, but not longer than this number of
# timeouts: a server may accept one request now and then.
_MAX_SHUTDOWN_TIMEOUTS = 6
# A shutdown leaves this time for its last try.
_LAST_TRY_SECONDS = 1.0
# A destination that has asked for a longer time would lose the spans.
_MAX_PAUSE_SECONDS = 1.0
# How long `close` waits for requests that the closed destination ends.
_CLOSE_SECONDS = 1.0
# A queue on disk may have requests of processes that have died. An application needs
# some time to select the destination with MLflow's functions.
_FIRST_POLL_SECONDS = 5.0
_POLL_SECONDS = 30.0


class Sender:
    """Decides when `delivery` sends what is new, and what waits in `queue`.

    Never raises. `running_exports` counts the exports that a shutdown waits for.
    """

    def __init__(self, queue: RequestQueue, delivery: RequestDelivery) -> None:
        self._queue = queue
        self._delivery = delivery
        self.running_exports = RunningExports()
        self._is_shut_down = self._is_stopped = False
        self._new_timer()

    def _new_timer(self) -> None:
        self._timer = BackgroundTimer(self._send_due)
        if self._queue.is_persistent:
            self._timer.start(_FIRST_POLL_SECONDS)

    def after_fork(self) -> None:
        self._delivery.after_fork()
        self.running_exports.after_fork()
        self._new_timer()

    def send(self, spans: Sequence[ReadableSpan]) -> bool:
        """Send one request. Returns whether it was delivered; otherwise it may wait."""
        with self.running_exports:
            is_delivered = self._delivery.send(spans)
        self._start_timer()
        return is_delivered

    def flush(self, timeout: float) -> bool:
        """Send what waits, for `timeout` seconds. Returns whether nothing is left.

        Does nothing if the destination has asked for a later time.
        """
        deadline = monotonic() + timeout
        return (
            not self._delivery.availability.seconds_until_try(is_urgent=True)
            and self._drain(deadline, is_urgent=True)
            and self.running_exports.wait(max(deadline - monotonic(), 0.0))
            and self._is_drained()
        )

    def shutdown(self) -> None:
        """Send what waits, as long as the end of the process allows.

        What is left stays in a queue on disk, and is dropped in memory by `close`.
        """
        self._is_shut_down = True
        self._timer.cancel()
        availability = self._delivery.availability
        successes = self._delivery.successes
        last_try = min(_LAST_TRY_SECONDS, exit_clock.timeout / 2)
        is_last_try = False
        deadline = monotonic() + exit_clock.timeout
        latest = monotonic() + _MAX_SHUTDOWN_TIMEOUTS * exit_clock.timeout
        asked = availability.seconds_until_try(is_urgent=True)
        if asked < _remaining_seconds(deadline) - last_try:
            sleep(asked)
        while not is_last_try and (remaining := _remaining_seconds(deadline)) > 0:
            with export_deadline(remaining):
                is_empty = not self._send_next(is_urgent=True)
            if self._delivery.successes > successes:
                successes = self._delivery.successes
                deadline = min(monotonic() + exit_clock.timeout, latest)
            if is_empty:
                # Others may wait for responses, and put requests into the queue.
                if self.running_exports.wait(remaining) and self._is_drained():
                    return
            elif not availability.is_available:
                if self._queue.is_persistent:
                    return
                wait = min(availability.seconds_until_try(), _MAX_PAUSE_SECONDS)
                pause = _remaining_seconds(deadline) - last_try
                is_last_try = pause <= 0
                sleep(max(min(wait, pause), 0.0))

    def stop(self) -> None:
        """Send nothing any more. Called before the destination is closed."""
        self._is_stopped = True

    def close(self) -> None:
        """Count what is left, after the destination has been closed."""
        self.running_exports.wait(_CLOSE_SECONDS)
        self._delivery.close()

    def _is_drained(self) -> bool:
        return self._queue.seconds_until_due() is None

    def _drain(self, deadline: float, *, is_urgent: bool) -> bool:
        """Send what waits, the oldest first. Returns whether nothing is left."""
        while not self._is_stopped and monotonic() < deadline:
            if not self._send_next(is_urgent=is_urgent):
                return True
            if not self._delivery.availability.is_available:
                break
        return False

    def _send_next(self, *, is_urgent: bool) -> bool:
        """Send one request that waits. Returns whether there was one."""
        with self.running_exports:
            queued = self._queue.take(is_urgent=is_urgent)
            if queued is not None:
                self._delivery.send_queued(queued)
        return queued is not None

    def _send_due(self) -> None:
        """Called by the timer."""
        if not self._is_shut_down:
            if not self._delivery.availability.seconds_until_try():
                self._drain(monotonic() + _POLL_SECONDS, is_urgent=False)
            self._start_timer()

    def _start_timer(self) -> None:
        due = self._queue.seconds_until_due()
        if due is None and self._queue.is_persistent:
            due = _POLL_SECONDS
        if due is not None and not self._is_shut_down:
            seconds = self._delivery.availability.seconds_until_try()
            self._timer.start(max(due, seconds))


def _remaining_seconds(deadline: float) -> float:
    remaining = deadline - monotonic()
    exit_seconds = exit_clock.remaining_seconds()
    return remaining if exit_seconds is None else min(remaining, exit_seconds)
