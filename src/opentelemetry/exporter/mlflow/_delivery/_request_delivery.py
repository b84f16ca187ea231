"""Tries to deliver requests, and decides what happens to those that fail."""

from __future__ import annotations

from time import monotonic
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
from opentelemetry.exporter.mlflow._destinations import ExportError, exit_clock

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

# A request that fails while others succeed is divided after this number of tries.
_TRIES_BEFORE_SPLIT = 3
# If no other request is sent, nothing shows whether the destination works. After this
# number of tries the request is divided to find out.
_TRIES_BEFORE_TEST_SPLIT = 4
# A single span that fails while others succeed is dropped after this number of tries.
_MAX_TRIES = 12

_NOT_ENCODABLE = ExportError(
    "some spans cannot be encoded", "Look for text that is not valid Unicode"
)
_NOT_READABLE = ExportError(
    "a request in the spool cannot be read", "The disk may be damaged"
)
_NOT_SENT = ExportError(
    "the exporter was shut down", "Increase OTEL_INSTRUMENTATION_EXIT_FLUSH_TIMEOUT"
)


class RequestDelivery:
    """Delivers for one exporter. What is not accepted goes into `queue`. Never raises.

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
        self._is_closed = False
        self.availability = Availability()
        self.successes = 0

    def after_fork(self) -> None:
        self._queue.after_fork()
        self.availability.reset()

    def close(self) -> None:
        """Drop, and count, what is in memory, now and after this call."""
        self._is_closed = True
        self._queue.close()
        if waiting := self._queue.discard():
            error = self.availability.error or _NOT_SENT
            self._log.record_drops([Drop(waiting, error)])
        if waiting := self._queue.state().span_count:
            self._log.log_waiting(waiting)

    def send(self, spans: Sequence[ReadableSpan]) -> bool:
        """Send new spans, unless the destination accepts nothing at the moment.

        Returns whether they were delivered. Otherwise they wait or were dropped.
        """
        if self._queue.is_persistent:
            # They are stored first: the process may be killed while it waits.
            outcomes = [
                self._send_new(self._queue.put(request))
                for request in self._encode(spans)
            ]
            return all(outcomes)
        if not self.availability.is_available:
            self._enqueue(spans, attempts=0)
            return False
        try:
            result = self._try(spans)
        except BaseException:  # for example KeyboardInterrupt, in the main thread
            self._enqueue(spans, attempts=0)
            raise
        for failure in result.failures:
            self._enqueue(failure.spans, attempts=1)
        return not (result.failures or result.drops)

    def _send_new(self, queued: QueuedRequest) -> bool:
        if self.availability.is_available:
            return self.send_queued(queued)
        self._release(queued, attempts=0)
        return False

    def send_queued(self, queued: QueuedRequest) -> bool:
        """Send a claimed request. Returns whether it was delivered."""
        try:
            spans = decode_request(queued.request)
        except DecodeError:
            self._log.record_drops([Drop(queued.request.span_count, _NOT_READABLE)])
            self._replace(queued)
            return False
        try:
            result = self._try(spans)
        except BaseException:  # as above
            self._release(queued, queued.attempts)
            raise
        if not result.failures:
            self._replace(queued)
        elif len(result.failures[0].spans) < len(spans):
            self._replace(queued, [failure.spans for failure in result.failures])
        else:
            self._postpone(queued, spans, result.failures[0].error)
        return not (result.failures or result.drops)

    def _try(self, spans: Sequence[ReadableSpan]) -> DeliveryResult:
        start = monotonic()
        try:
            result = deliver(spans, self._destination)
        except Exception as error:  # noqa: BLE001  # an error of this package must not reach the application
            drop = Drop(len(spans), internal_error(error))
            result = DeliveryResult([], [], [drop])
        if result.delivered or result.drops:
            # A destination that rejects a span works.
            self.successes += 1
            exit_clock.restart()
            self.availability.record_success()
        for failure in result.failures:
            self.availability.record_failure(failure.error)
        self._log.record(result, monotonic() - start)
        for part in result.delivered:
            self._on_delivered(part)
        return result

    def _postpone(
        self, queued: QueuedRequest, spans: Sequence[ReadableSpan], error: ExportError
    ) -> None:
        """Let a request wait, or divide or drop it if others succeed."""
        attempts = queued.attempts + 1
        # This request is the only failure since the last success.
        others_succeed = self.availability.failures == 1
        is_test_due = error.is_divisible and attempts % _TRIES_BEFORE_TEST_SPLIT == 0
        if len(spans) > 1 and (
            is_test_due or (others_succeed and attempts >= _TRIES_BEFORE_SPLIT)
        ):
            self._replace(queued, halves(spans))
        elif others_succeed and attempts >= _MAX_TRIES:
            self._replace(queued)
            self._log.record_drops([Drop(len(spans), error)])
        else:
            self._release(queued, attempts)

    def _enqueue(self, spans: Sequence[ReadableSpan], *, attempts: int) -> None:
        for request in self._encode(spans):
            self._release(self._queue.put(request), attempts)

    def _release(self, queued: QueuedRequest, attempts: int) -> None:
        """Let a request wait. A request that has failed lets the others go first."""
        if self._is_closed and not self._queue.is_persistent:
            self._replace(queued)
            error = self.availability.error or _NOT_SENT
            self._log.record_drops([Drop(queued.request.span_count, error)])
            return
        delay = self.availability.seconds_until_try() + request_delay()
        self._queue.release(queued, attempts=attempts, delay=delay if attempts else 0)

    def _replace(
        self, queued: QueuedRequest, parts: Sequence[Sequence[ReadableSpan]] = ()
    ) -> None:
        """Remove a request from the queue, or put its parts there instead."""
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
