"""Map, hand on, report."""

from __future__ import annotations

import os
import weakref
from itertools import chain
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from opentelemetry.exporter.mlflow._config import parse_boolean, read_setting
from opentelemetry.exporter.mlflow._content._pending import ContentJoiner
from opentelemetry.exporter.mlflow._content._redaction import redaction
from opentelemetry.exporter.mlflow._delivery._dropped_spans import Losses
from opentelemetry.exporter.mlflow._delivery._splitting import (
    Delivery,
    Loss,
    batches,
    deliver,
)
from opentelemetry.exporter.mlflow._destinations import (
    ExportError,
    TraceInfoReader,
    create_destination,
)
from opentelemetry.exporter.mlflow._mlflow_bridge._bridge import one_tree
from opentelemetry.exporter.mlflow._mlflow_bridge._span_mirror import as_mlflow_made_it
from opentelemetry.exporter.mlflow._mlflow_bridge._trace_buffer import WholeTraces
from opentelemetry.exporter.mlflow._pricing._price_file import load_price_list
from opentelemetry.exporter.mlflow._remote_root_previews import Previews
from opentelemetry.exporter.mlflow._root_span import Roots
from opentelemetry.exporter.mlflow._span_translator import SpanTranslator
from opentelemetry.exporter.mlflow.environment_variables import (
    OTEL_EXPORTER_MLFLOW_PRICES,
    OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT,
    OTEL_EXPORTER_MLFLOW_REDACT,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._content._redaction import Redact


class MlflowSpanExporter(SpanExporter):
    """Sends finished spans to MLflow, in the form that MLflow's pages show best.

    It sends copies: other exporters see the spans as they are. It does not raise while
    the program runs; what is lost is counted and logged with the cause, each cause
    once.

    Args:
        endpoint: an OTLP/HTTP receiver on the way to MLflow, as
            OTEL_EXPORTER_MLFLOW_ENDPOINT; the next three do not count then.
        tracking_uri: an MLflow server or a local store, as MLFLOW_TRACKING_URI.
        experiment_id: number of the experiment, as MLFLOW_EXPERIMENT_ID.
        experiment_name: its name instead, as MLFLOW_EXPERIMENT_NAME.
        timeout: seconds for one request, as OTEL_EXPORTER_MLFLOW_TIMEOUT.
        promote_remote_root: whether a span whose parent is in another process is the
            root of its trace in MLflow, as OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT.
        prices: path of a newer list of DeepSeek's prices, as
            OTEL_EXPORTER_MLFLOW_PRICES.
        redact: a function that is given what goes to MLflow and gives back what may
            go, or where to import it from, as OTEL_EXPORTER_MLFLOW_REDACT.

    Each falls back to that environment variable, then to its default; see
    `opentelemetry.exporter.mlflow.environment_variables`.

    Raises:
        ValueError: a setting cannot be meant; the message names it and what it takes.
        ImportError: a local store, and the full `mlflow` package is not installed.
    """

    def __init__(
        self,
        *,
        endpoint: str | None = None,
        tracking_uri: str | None = None,
        experiment_id: str | int | None = None,
        experiment_name: str | None = None,
        timeout: float | None = None,
        promote_remote_root: bool | None = None,
        prices: str | os.PathLike[str] | None = None,
        redact: Redact | str | None = None,
    ) -> None:
        promotes = parse_boolean(
            read_setting(
                promote_remote_root,
                "promote_remote_root",
                OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT,
            ),
            default=True,
        )
        self._roots = Roots(
            promote_remote=promotes,
            wording=SpanTranslator(
                load_price_list(
                    read_setting(prices, "prices", OTEL_EXPORTER_MLFLOW_PRICES)
                ),
                redaction(
                    redact, read_setting(redact, "redact", OTEL_EXPORTER_MLFLOW_REDACT)
                ),
            ),
        )
        self._destination = create_destination(
            endpoint=endpoint,
            tracking_uri=tracking_uri,
            experiment_id=experiment_id,
            experiment_name=experiment_name,
            timeout=timeout,
        )
        self._losses = Losses(self._destination)
        self._content = ContentJoiner()
        self._whole_traces = WholeTraces(self._send)
        self._previews = (
            Previews(self._destination)
            if isinstance(self._destination, TraceInfoReader) and not promotes
            else None
        )
        self._is_shut_down = False
        one_tree.serve(self, self._destination.is_at)
        if hasattr(os, "register_at_fork"):
            method = weakref.WeakMethod(self._after_fork)
            os.register_at_fork(after_in_child=lambda: (call := method()) and call())

    @property
    def lost(self) -> int:
        """Spans that did not reach MLflow, since this process began."""
        return self._losses.total

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self._is_shut_down:
            why = ExportError(
                "the exporter was shut down before",
                "End spans before the tracer provider is shut down",
            )
            self._losses.note(Delivery(0, [Loss(len(spans), why)]))
            return SpanExportResult.FAILURE
        ready = self._ready(spans)
        delivered = ready is not None and self._send(ready)
        return SpanExportResult.SUCCESS if delivered else SpanExportResult.FAILURE

    def _ready(self, spans: Sequence[ReadableSpan]) -> list[list[ReadableSpan]] | None:
        """What can go now, and None if that cannot be told."""
        try:
            return self._whole_traces.ready(
                self._content.joined(spans),
                all_traces=self._destination.wants_whole_traces,
            )
        except Exception as error:  # noqa: BLE001  # a defect of ours is not the caller's
            self._losses.note(_defect(error, len(spans)))
            return None

    def _send(self, together: Sequence[Sequence[ReadableSpan]]) -> bool:
        """Each of `together` in one request; whether all of them arrived."""
        try:
            requests = [
                self._roots.mapped([as_mlflow_made_it(span) for span in batch])
                for batch in (
                    together
                    if self._destination.wants_whole_traces
                    else batches(together)
                )
            ]
            delivery = deliver(requests, self._destination)
            if self._previews and not delivery.losses:
                self._previews.of(chain.from_iterable(requests))
        except Exception as error:  # noqa: BLE001  # as above
            delivery = _defect(error, sum(map(len, together)))
        self._losses.note(delivery)
        return not delivery.losses

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002  # the SDK's
        """Sends what waits for the rest of its trace; all else was sent at once.

        But for a destination that takes whole traces: what began there goes on waiting.
        """
        ready = self._ready(()) or []
        if not self._destination.wants_whole_traces:
            ready += self._whole_traces.all()
        return self._send(ready)

    def shutdown(self) -> None:
        if self._is_shut_down:
            return
        self._is_shut_down = True
        self._send([*(self._ready(()) or ()), *self._whole_traces.all()])
        if self._previews:
            self._previews.close()
        self._content.close()
        self._destination.close()
        self._losses.sum_up()

    def _after_fork(self) -> None:
        self._content.forget()
        self._roots.forget()
        self._whole_traces.forget()
        if self._previews:
            self._previews.forget()
        self._losses.forget()
        self._destination.after_fork()


def _defect(error: Exception, spans: int) -> Delivery:
    why = ExportError(
        f"a defect of the exporter ({type(error).__name__})",
        "Please report it, with the version of mlflow",
    )
    return Delivery(0, [Loss(spans, why)])
