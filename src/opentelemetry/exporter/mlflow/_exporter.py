"""The span exporter: translates spans, delivers them, and reports dropped spans."""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from opentelemetry.exporter.mlflow._batch_translator import BatchTranslator
from opentelemetry.exporter.mlflow._config import (
    parse_boolean,
    read_setting,
)
from opentelemetry.exporter.mlflow._content._pending import ContentJoiner
from opentelemetry.exporter.mlflow._content._redaction import load_redaction
from opentelemetry.exporter.mlflow._delivery._create_queue import create_queue
from opentelemetry.exporter.mlflow._delivery._delivery_log import DeliveryLog
from opentelemetry.exporter.mlflow._delivery._metrics import DeliveryMetrics
from opentelemetry.exporter.mlflow._delivery._request_delivery import RequestDelivery
from opentelemetry.exporter.mlflow._delivery._requests import (
    Drop,
    internal_error,
    make_requests,
)
from opentelemetry.exporter.mlflow._delivery._sender import Sender
from opentelemetry.exporter.mlflow._delivery._spool_settings import (
    read_spool_settings,
)
from opentelemetry.exporter.mlflow._destinations import (
    ExportError,
    TraceInfoReader,
    create_destination,
    export_deadline,
    export_timeout,
)
from opentelemetry.exporter.mlflow._fluent_api._trace_contexts import trace_contexts
from opentelemetry.exporter.mlflow._mlflow_bridge._bridge import bridge
from opentelemetry.exporter.mlflow._mlflow_bridge._exporter_providers import (
    attach_to_global_provider,
    watch_providers,
)
from opentelemetry.exporter.mlflow._mlflow_bridge._span_mirror import span_mirror
from opentelemetry.exporter.mlflow._mlflow_bridge._span_selection import select_spans
from opentelemetry.exporter.mlflow._mlflow_bridge._trace_buffer import TraceBuffer
from opentelemetry.exporter.mlflow._pricing._price_file import load_price_list
from opentelemetry.exporter.mlflow._remote_root_previews import RemoteRootPreviews
from opentelemetry.exporter.mlflow._span_translator import SpanTranslator
from opentelemetry.exporter.mlflow.environment_variables import (
    OTEL_EXPORTER_MLFLOW_PRICES,
    OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT,
    OTEL_EXPORTER_MLFLOW_REDACT,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._content._redaction import Redact


class MlflowSpanExporter(SpanExporter):
    """Exports finished spans to MLflow, in the form that MLflow's pages show best.

    It exports copies: other exporters see the spans unchanged. It does not raise after
    construction. Spans that MLflow does not accept wait and are sent again. Dropped
    spans are counted, and their causes are logged.

    Args:
        endpoint: the URL of an OTLP/HTTP receiver that forwards to MLflow, like
            OTEL_EXPORTER_MLFLOW_ENDPOINT. The next three are ignored if it is set.
        tracking_uri: an MLflow server or a local store, like MLFLOW_TRACKING_URI.
        experiment_id: the id of the experiment, like MLFLOW_EXPERIMENT_ID.
        experiment_name: the name of the experiment, like MLFLOW_EXPERIMENT_NAME.
        timeout: the limit of one export in seconds, like OTEL_EXPORTER_MLFLOW_TIMEOUT.
        buffer_max_bytes: bytes of memory for spans that wait, like
            OTEL_EXPORTER_MLFLOW_BUFFER_MAX_BYTES.
        spool: a folder where spans wait on disk, like OTEL_EXPORTER_MLFLOW_SPOOL. The
            next two limit the bytes and the age in seconds of what waits there.
        promote_remote_root: whether a span whose parent is in another process is the
            root of its trace in MLflow, like OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT.
        prices: the path of a newer list of DeepSeek's prices, like
            OTEL_EXPORTER_MLFLOW_PRICES.
        redact: a function that takes the SpanContent of a span and returns the one to
            send, or its import path, like OTEL_EXPORTER_MLFLOW_REDACT.

    An argument that is None falls back to the environment variable, and then to the
    default. See `opentelemetry.exporter.mlflow.environment_variables`.

    Raises:
        ValueError: a setting is invalid; the message names the setting and the accepted
            values.
        ImportError: a package that the destination requires is not installed; the
            message has the command that installs it.
    """

    def __init__(
        self,
        *,
        endpoint: str | None = None,
        tracking_uri: str | None = None,
        experiment_id: str | int | None = None,
        experiment_name: str | None = None,
        timeout: float | None = None,
        buffer_max_bytes: int | None = None,
        spool: str | os.PathLike[str] | None = None,
        spool_max_bytes: int | None = None,
        spool_max_age: float | None = None,
        promote_remote_root: bool | None = None,
        prices: str | os.PathLike[str] | None = None,
        redact: Redact | str | None = None,
    ) -> None:
        promotes_remote_root = parse_boolean(
            read_setting(
                promote_remote_root,
                "promote_remote_root",
                OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT,
            ),
            default=True,
        )
        price_list = load_price_list(
            read_setting(prices, "prices", OTEL_EXPORTER_MLFLOW_PRICES)
        )
        self._timeout = export_timeout(timeout)
        redact_setting = read_setting(redact, "redact", OTEL_EXPORTER_MLFLOW_REDACT)
        translator = SpanTranslator(price_list, load_redaction(redact, redact_setting))
        self._destination = create_destination(
            endpoint=endpoint,
            tracking_uri=tracking_uri,
            experiment_id=experiment_id,
            experiment_name=experiment_name,
            timeout=timeout,
        )
        self._translator = BatchTranslator(
            promote_remote_root=promotes_remote_root,
            translator=translator,
            has_tracking_uri=self._destination.has_tracking_uri,
        )
        queue, queue_name = create_queue(
            buffer_max_bytes,
            read_spool_settings(spool, spool_max_bytes, spool_max_age),
            target=lambda: self._destination.target,
            record_drop=lambda drop: self._log.record_drops([drop]),
        )
        self._log = DeliveryLog(self._destination, queue_name, DeliveryMetrics(queue))
        self._sender = Sender(
            queue,
            RequestDelivery(self._destination, queue, self._log, self._add_previews),
        )
        self._content = ContentJoiner()
        self._trace_buffer = TraceBuffer(self._send)
        self._remote_root_previews = (
            RemoteRootPreviews(self._destination)
            if isinstance(self._destination, TraceInfoReader)
            and not promotes_remote_root
            else None
        )
        self._is_shut_down = False
        bridge.add_exporter(self, self._destination)
        if hasattr(os, "register_at_fork"):
            method = weakref.WeakMethod(self._after_fork)
            os.register_at_fork(after_in_child=lambda: (call := method()) and call())

    @property
    def dropped_spans(self) -> int:
        """The number of spans that were given up, since the process started."""
        return self._log.dropped

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        # A shutdown waits for exports that have begun.
        with self._sender.running_exports, export_deadline(self._timeout):
            if self._is_shut_down:
                error = ExportError(
                    "the exporter was shut down before",
                    "End spans before the tracer provider is shut down",
                )
                self._log.record_drops([Drop(len(spans), error)])
                return SpanExportResult.FAILURE
            groups = self._groups_to_send(spans)
            is_delivered = groups is not None and self._send(groups)
        return SpanExportResult.SUCCESS if is_delivered else SpanExportResult.FAILURE

    def _groups_to_send(
        self, spans: Sequence[ReadableSpan]
    ) -> list[list[ReadableSpan]] | None:
        """Returns None if an internal error occurs."""
        try:
            attach_to_global_provider()
            selected = select_spans(self._content.join(spans))
            restored = [span_mirror.restore(span) for span in selected]
            return self._buffer(restored)
        except Exception as error:  # noqa: BLE001  # an error of this package must not reach the application
            self._log.record_drops([Drop(len(spans), internal_error(error))])
            return None

    def _buffer(self, spans: list[ReadableSpan]) -> list[list[ReadableSpan]]:
        groups: list[list[ReadableSpan]] = []
        if not (self._destination.wants_whole_traces or trace_contexts.is_empty):
            # The metadata of a trace are sent with its totals, which are final.
            whole = [span for span in spans if self._has_metadata(span)]
            if whole:
                groups = self._trace_buffer.add(whole, buffer_all=True)
                spans = [span for span in spans if not self._has_metadata(span)]
        groups += self._trace_buffer.add(
            spans, buffer_all=self._destination.wants_whole_traces
        )
        return groups

    def _has_metadata(self, span: ReadableSpan) -> bool:
        trace_id = span.context.trace_id if span.context else 0
        return trace_contexts.has_metadata(trace_id, self._destination.has_tracking_uri)

    def _target_of(self, group: Sequence[ReadableSpan]) -> Hashable:
        """Returns None for a group without an experiment or a run of its own."""
        if trace_contexts.is_empty:
            return None
        context = group[0].context
        trace_id = context.trace_id if context else 0
        return trace_contexts.take_target(trace_id, self._destination.has_tracking_uri)

    def _send(self, groups: Sequence[Sequence[ReadableSpan]]) -> bool:
        """Send each group in one request. Returns whether all spans were delivered."""
        try:
            # All are translated before the first is sent, so that a root is completed
            # from all of them.
            requests = [
                self._translator.translate(spans)
                for spans in (
                    groups
                    if self._destination.wants_whole_traces
                    else make_requests(groups, self._target_of)
                )
            ]
        except Exception as error:  # noqa: BLE001  # as above
            drop = Drop(sum(map(len, groups)), internal_error(error))
            self._log.record_drops([drop])
            return False
        outcomes = [self._sender.send(request) for request in requests]
        return all(outcomes)

    def _add_previews(self, spans: Sequence[ReadableSpan]) -> None:
        # An old server would take the TraceInfo of the span that is sent as a root.
        if self._remote_root_previews and not self._destination.wants_whole_traces:
            self._remote_root_previews.add(spans)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send the spans that wait for MLflow, or for the rest of their trace.

        A destination that takes only whole traces is an exception: spans of traces that
        have not ended go on waiting.
        """
        groups = self._groups_to_send(()) or []
        if not self._destination.wants_whole_traces:
            groups += self._trace_buffer.pop_all()
        seconds = timeout_millis / 1_000
        with export_deadline(seconds):
            is_delivered = self._send(groups)
            return self._sender.flush(seconds) and is_delivered

    def shutdown(self) -> None:
        if self._is_shut_down:
            return
        self._is_shut_down = True
        self._send([*(self._groups_to_send(()) or ()), *self._trace_buffer.pop_all()])
        self._sender.shutdown()
        if self._remote_root_previews:
            self._remote_root_previews.close()
        self._content.close()
        self._sender.stop()
        # Closing ends a request that waits for its response; its spans are counted.
        self._destination.close()
        self._sender.close()
        self._log.log_totals()

    def _after_fork(self) -> None:
        # First of all: a child never sends what its parent has queued.
        self._sender.after_fork()
        self._content.after_fork()
        self._translator.after_fork()
        self._trace_buffer.after_fork()
        if self._remote_root_previews:
            self._remote_root_previews.after_fork()
        self._log.after_fork()
        self._destination.after_fork()


# Not in the constructor: in `provider.add_span_processor(BatchSpanProcessor(
# MlflowSpanExporter()))` Python looks the method up before it calls the constructor.
watch_providers(MlflowSpanExporter)
