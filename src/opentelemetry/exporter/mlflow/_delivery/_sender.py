"""Sends requests to a destination; those that fail wait in a queue.

A request is sent by the thread that exports it. If the destination does not accept it,
the request waits, and a thread in the background sends it again. Exports do not wait
for that thread: while the destination accepts nothing, new requests join the queue.
"""

from __future__ import annotations

from time import monotonic, sleep
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError

from opentelemetry.exporter.mlflow._delivery._availability import (
    Availability,
    request_delay,
)
from opentelemetry.exporter.mlflow._delivery._encoded_spans import (
    decode_request,
    encode_request,
)
from opentelemetry.exporter.mlflow._delivery._requests import (
    DeliveryResult,
    Drop,
    deliver,
    halves,
    internal_error,
)
from opentelemetry.exporter.mlflow._delivery._running_exports import RunningExports
from opentelemetry.exporter.mlflow._destinations import ExportError, exit_clock
from opentelemetry.exporter.mlflow._timer import BackgroundTimer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._delivery._delivery_log import DeliveryLog
    from opentelemetry.exporter.mlflow._delivery._request_queue import (
        EncodedRequest,
        QueuedRequest,
        RequestQueue,
    )
    from opentelemetry.exporter.mlflow._destinations import Destination

# A request that fails while others succeed is divided after this number of tries, and
# dropped after the second number if it is a single span.
_TRIES_BEFORE_SPLIT = 3
_TRIES_BEFORE_TEST = 4
_MAX_TRIES = 12
# The time that is left for the last try.
_LAST_TRY_SECONDS = 1.0
# How long `close` waits for requests that the closed destination ends.
_CLOSE_SECONDS = 1.0
# A queue on disk may have requests of processes that have died. An application needs
# some time to select the destination with MLflow's functions.
_FIRST_POLL_SECONDS = 5.0
_POLL_SECONDS = 30.0


_NOT_ENCODABLE = ExportError(
    "some spans cannot be encoded", "Look for text that is not valid Unicode"
)
_NOT_READABLE = ExportError(
    "a request in the spool cannot be read", "The disk may be damaged"
)
_NOT_SENT = ExportError(
    "the exporter was shut down", "Increase OTEL_INSTRUMENTATION_EXIT_FLUSH_TIMEOUT"
)


class Sender:
    """Sends for one exporter. Never raises.

    `on_delivered` is called with the spans of each request that was accepted.
    """

    def __init__(
        self,
        destination: Destination,
        queue: RequestQueue,
        log: DeliveryLog,
        on_delivered: Callable[[Sequence[ReadableSpan]], object],
    ) -> None:
        self._destination = destination
        self._queue = queue
        self._log = log
        self._on_delivered = on_delivered
        self._availability = Availability()
        self._running = RunningExports()
        self._is_shut_down = self._is_closed = False
        self._reset()

    def _reset(self) -> None:
        self._timer = BackgroundTimer(self._send_due)
        if self._queue.is_persistent:
            self._timer.start(_FIRST_POLL_SECONDS)
        self._successes = 0

    def after_fork(self) -> None:
        self._queue.after_fork()
        self._availability.after_fork()
        self._running.after_fork()
        self._reset()

    def send(self, spans: Sequence[ReadableSpan]) -> bool:
        """Send one request. Returns whether it was delivered; otherwise it may wait."""
        with self._running:
            if self._queue.is_persistent:
                # It is stored first: the process may be killed while it waits.
                outcomes = [
                    self._send_new(self._queue.put(request))
                    for request in self._encode(spans)
                ]
                is_delivered = all(outcomes)
            elif self._availability.is_available:
                result = self._try(spans)
                for failure in result.failures:
                    self._enqueue(failure.spans, attempts=1)
                is_delivered = not (result.failures or result.drops)
            else:
                self._enqueue(spans, attempts=0)
                is_delivered = False
        self._start_timer()
        return is_delivered

    def flush(self, timeout: float) -> bool:
        """Send what waits, for `timeout` seconds. Returns whether nothing is left."""
        if self._availability.seconds_until_try(is_urgent=True):
            return False
        return self._drain(monotonic() + timeout, is_urgent=True)

    def shutdown(self) -> None:
        """Send what waits, as long as the end of the process allows.

        What is left stays in a queue on disk, and is dropped in memory.
        """
        self._is_shut_down = True
        self._timer.cancel()
        successes = self._successes
        deadline = monotonic() + exit_clock.timeout
        asked = self._availability.seconds_until_try(is_urgent=True)
        if asked < self._remaining_seconds(deadline) - _LAST_TRY_SECONDS:
            sleep(asked)
        while (remaining := self._remaining_seconds(deadline)) > _LAST_TRY_SECONDS:
            if not self._drain(monotonic() + remaining, is_urgent=True):
                if self._queue.is_persistent:
                    return
                wait = self._availability.seconds_until_try()
                sleep(max(min(wait, remaining - _LAST_TRY_SECONDS), 0.0))
            # Other threads may wait for responses, and put requests into the queue.
            elif self._running.wait(remaining) and self._is_drained():
                return
            if self._successes > successes:
                successes = self._successes
                deadline = monotonic() + exit_clock.timeout

    def _is_drained(self) -> bool:
        return self._queue.seconds_until_due() is None

    @staticmethod
    def _remaining_seconds(deadline: float) -> float:
        remaining = deadline - monotonic()
        exit_seconds = exit_clock.remaining_seconds()
        return remaining if exit_seconds is None else min(remaining, exit_seconds)

    def close(self) -> None:
        """Count what is left, after the destination has been closed."""
        self._is_closed = True
        self._running.wait(_CLOSE_SECONDS)
        self._queue.close()
        waiting = self._queue.state().span_count
        if waiting and self._queue.is_persistent:
            self._log.log_waiting(waiting)
        elif waiting:
            error = self._availability.error or _NOT_SENT
            self._log.record_drops([Drop(waiting, error)])

    def _try(self, spans: Sequence[ReadableSpan]) -> DeliveryResult:
        start = monotonic()
        try:
            result = deliver(spans, self._destination)
        except Exception as error:  # noqa: BLE001  # an error of this package must not reach the application
            drop = Drop(len(spans), internal_error(error))
            result = DeliveryResult([], [], [drop])
        if result.delivered or result.drops:
            # A destination that rejects a span works.
            self._successes += 1
            exit_clock.restart()
            self._availability.record_success()
        for failure in result.failures:
            self._availability.record_failure(failure.error)
        self._log.record(result, monotonic() - start)
        for part in result.delivered:
            self._on_delivered(part)
        return result

    def _enqueue(self, spans: Sequence[ReadableSpan], *, attempts: int) -> None:
        for request in self._encode(spans):
            self._release(self._queue.put(request), attempts)

    def _release(self, queued: QueuedRequest, attempts: int) -> None:
        """Let a request wait. A request that has failed lets the others go first."""
        delay = self._availability.seconds_until_try() + request_delay()
        self._queue.release(queued, attempts=attempts, delay=delay if attempts else 0)

    def _send_new(self, queued: QueuedRequest) -> bool:
        if self._availability.is_available:
            return self._send_queued(queued)
        self._release(queued, attempts=0)
        return False

    def _send_queued(self, queued: QueuedRequest) -> bool:
        """Send a claimed request. Returns whether it was delivered."""
        try:
            spans = decode_request(queued.request)
        except DecodeError:
            self._log.record_drops([Drop(queued.request.span_count, _NOT_READABLE)])
            self._remove(queued)
            return False
        result = self._try(spans)
        if not result.failures:
            self._remove(queued)
        elif len(result.failures[0].spans) < len(spans):
            self._remove(queued, [failure.spans for failure in result.failures])
        else:
            self._postpone(queued, spans, result.failures[0].error)
        return not (result.failures or result.drops)

    def _postpone(
        self, queued: QueuedRequest, spans: Sequence[ReadableSpan], error: ExportError
    ) -> None:
        """Divide or drop a request that fails while others succeed."""
        attempts = queued.attempts + 1
        others_succeed = self._availability.failures == 1
        # If no other request is sent, its parts show whether the destination works.
        is_test_due = error.is_divisible and attempts % _TRIES_BEFORE_TEST == 0
        if len(spans) > 1 and (
            is_test_due or (others_succeed and attempts >= _TRIES_BEFORE_SPLIT)
        ):
            self._remove(queued, halves(spans))
        elif others_succeed and attempts >= _MAX_TRIES:
            self._remove(queued)
            self._log.record_drops([Drop(len(spans), error)])
        else:
            self._release(queued, attempts)

    def _remove(
        self, queued: QueuedRequest, parts: Sequence[Sequence[ReadableSpan]] = ()
    ) -> None:
        self._queue.replace(queued, [encode_request(part) for part in parts])

    def _encode(self, spans: Sequence[ReadableSpan]) -> list[EncodedRequest]:
        """Drop the spans that cannot be encoded."""
        try:
            return [encode_request(spans)]
        except Exception:  # noqa: BLE001  # the encoder raises exceptions of any kind
            if len(spans) == 1:
                self._log.record_drops([Drop(1, _NOT_ENCODABLE)])
                return []
            first, second = halves(spans)
            return self._encode(first) + self._encode(second)

    def _drain(self, deadline: float, *, is_urgent: bool) -> bool:
        """Send what waits, the oldest first. Returns whether nothing is left."""
        while not self._is_closed and (queued := self._queue.take(is_urgent=is_urgent)):
            with self._running:
                self._send_queued(queued)
            if not self._availability.is_available or monotonic() > deadline:
                return False
        return True

    def _send_due(self) -> None:
        """Called by the timer."""
        if not self._is_shut_down:
            if not self._availability.seconds_until_try():
                self._drain(monotonic() + _POLL_SECONDS, is_urgent=False)
            self._start_timer()

    def _start_timer(self) -> None:
        due = self._queue.seconds_until_due()
        if due is None and self._queue.is_persistent:
            due = _POLL_SECONDS
        if due is not None and not self._is_shut_down:
            self._timer.start(max(due, self._availability.seconds_until_try()))
