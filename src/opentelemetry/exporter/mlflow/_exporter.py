"""Map, hand on, report."""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from opentelemetry.exporter.mlflow._delivery import Delivery, Loss, deliver
from opentelemetry.exporter.mlflow._destination import UndeliveredError, destination
from opentelemetry.exporter.mlflow._losses import Losses
from opentelemetry.exporter.mlflow._root import Roots
from opentelemetry.exporter.mlflow._settings import boolean, setting
from opentelemetry.exporter.mlflow.environment_variables import (
    OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan


class MlflowSpanExporter(SpanExporter):
    """Sends finished spans to MLflow, in the form that MLflow's pages show best.

    It sends copies: other exporters see the spans as they are. It does not raise while
    the program runs; what is lost is counted and logged with the cause, each cause
    once.

    Args:
        tracking_uri: an MLflow server or a local store, as MLFLOW_TRACKING_URI.
        experiment_id: number of the experiment, as MLFLOW_EXPERIMENT_ID.
        experiment_name: its name instead, as MLFLOW_EXPERIMENT_NAME.
        timeout: seconds for one request, as OTEL_EXPORTER_MLFLOW_TIMEOUT.
        promote_remote_root: whether a span whose parent is in another process is the
            root of its trace in MLflow, as OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT.

    Each falls back to that environment variable, then to its default; see
    `opentelemetry.exporter.mlflow.environment_variables`.

    Raises:
        ValueError: a setting cannot be meant; the message names it and what it takes.
        ImportError: a local store, and the full `mlflow` package is not installed.
    """

    def __init__(
        self,
        *,
        tracking_uri: str | None = None,
        experiment_id: str | int | None = None,
        experiment_name: str | None = None,
        timeout: float | None = None,
        promote_remote_root: bool | None = None,
    ) -> None:
        self._roots = Roots(
            promote_remote=boolean(
                setting(
                    promote_remote_root,
                    "promote_remote_root",
                    OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT,
                ),
                default=True,
            )
        )
        self._destination = destination(
            tracking_uri=tracking_uri,
            experiment_id=experiment_id,
            experiment_name=experiment_name,
            timeout=timeout,
        )
        self._losses = Losses(self._destination.address)
        self._is_shut_down = False
        if hasattr(os, "register_at_fork"):
            method = weakref.WeakMethod(self._after_fork)
            os.register_at_fork(after_in_child=lambda: (call := method()) and call())

    @property
    def lost(self) -> int:
        """Spans that did not reach MLflow, since this process began."""
        return self._losses.total

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            delivery = self._delivered(spans)
        except Exception as error:  # noqa: BLE001  # a defect of ours is not the caller's
            why = UndeliveredError(
                f"a defect of the exporter ({type(error).__name__})",
                "Please report it, with the version of mlflow",
            )
            delivery = Delivery(0, [Loss(len(spans), why)])
        self._losses.note(delivery)
        return SpanExportResult.FAILURE if delivery.losses else SpanExportResult.SUCCESS

    def _delivered(self, spans: Sequence[ReadableSpan]) -> Delivery:
        if self._is_shut_down:
            why = UndeliveredError(
                "the exporter was shut down before",
                "End spans before the tracer provider is shut down",
            )
            return Delivery(0, [Loss(len(spans), why)])
        return deliver(self._roots.mapped(spans), self._destination)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002  # the SDK's
        """Nothing waits here: every span is sent in the call that brings it."""
        return True

    def shutdown(self) -> None:
        if self._is_shut_down:
            return
        self._is_shut_down = True
        self._destination.close()
        self._losses.sum_up()

    def _after_fork(self) -> None:
        self._roots.forget()
        self._losses.forget()
        self._destination.after_fork()
