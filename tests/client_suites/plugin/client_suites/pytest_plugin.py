"""A pytest plugin that instruments a client, records test outcomes and counts spans.

It is loaded with `-p` into the client's own test run. `CLIENT_SUITES_CLIENT` is the
name of the client, `CLIENT_SUITES_SUBJECT` that of the subject. `CLIENT_SUITES_RECORD`
is the folder in which each process of the run writes its record.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import warnings
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import pytest
from opentelemetry._logs import set_logger_provider
from opentelemetry.metrics import set_meter_provider
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import (
    InMemoryLogRecordExporter,
    SimpleLogRecordProcessor,
)
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from opentelemetry.trace import set_tracer_provider

from . import SUITES, call_tracker

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span

# The loggers of instrumentations. Warnings of these are recorded.
_LOGGERS: Final = ("opentelemetry", "openinference", "mlflow")


class _SpanAndLogRecorder(SpanProcessor, logging.Handler):
    """Counts spans and records warnings, with the test that was running.

    Spans that the client makes itself are not counted.
    """

    def __init__(self, scope_of_client: str) -> None:
        logging.Handler.__init__(self, logging.WARNING)
        self._scope_of_client = scope_of_client
        self.test = ""
        self.started = 0
        self.ended = 0
        self.logged: list[tuple[str, str, str]] = []
        self.open_spans: dict[int, tuple[str, str]] = {}
        self._lock = Lock()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        if self._is_of_client(span):
            return
        with self._lock:
            self.started += 1
            self.open_spans[span.context.span_id] = (span.name, self.test)

    def on_end(self, span: ReadableSpan) -> None:
        if self._is_of_client(span):
            return
        with self._lock:
            self.ended += 1
            self.open_spans.pop(span.context.span_id, None)

    def _is_of_client(self, span: ReadableSpan) -> bool:
        scope = span.instrumentation_scope
        return scope is not None and scope.name == self._scope_of_client

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            message += f": {record.exc_info[1]!r}"
        self.logged.append((self.test, record.name, message))


class _Recorder:
    """Instruments the client and writes the record of one process."""

    def __init__(self, config: pytest.Config) -> None:
        self._suite = SUITES[os.environ["CLIENT_SUITES_CLIENT"]]
        self._subject = self._suite.subjects[os.environ["CLIENT_SUITES_SUBJECT"]]
        self._record = Path(os.environ["CLIENT_SUITES_RECORD"])
        self._worker: str | None = getattr(config, "workerinput", {}).get("workerid")
        self._outcomes: dict[str, str] = {}
        self._reasons: dict[str, str] = {}
        self._telemetry = _SpanAndLogRecorder(self._suite.own_scope)
        self._instrument()

    def _instrument(self) -> None:
        for name in _LOGGERS:
            logging.getLogger(name).addHandler(self._telemetry)
        tracer_provider = TracerProvider(
            sampler=ALWAYS_ON if self._subject.sampled else ALWAYS_OFF
        )
        tracer_provider.add_span_processor(self._telemetry)
        tracer_provider.add_span_processor(SimpleSpanProcessor(InMemorySpanExporter()))
        meter_provider = MeterProvider([InMemoryMetricReader()])
        logger_provider = LoggerProvider()
        logger_provider.add_log_record_processor(
            SimpleLogRecordProcessor(InMemoryLogRecordExporter())
        )
        # Set globally as well, because not every subject takes all of them.
        set_tracer_provider(tracer_provider)
        set_meter_provider(meter_provider)
        set_logger_provider(logger_provider)
        # The tests turn warnings into errors. This must not apply to warnings that a
        # peer causes when it is imported.
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            self._subject.instrument(
                self._suite,
                tracer_provider=tracer_provider,
                meter_provider=meter_provider,
                logger_provider=logger_provider,
            )

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._telemetry.test = call_tracker.current_test = nodeid

    # Runs in the controller, which also gets the reports of the workers.
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        outcome = "xfailed" if hasattr(report, "wasxfail") else report.outcome
        before = self._outcomes.get(report.nodeid, "passed")
        # The first phase that did not pass decides, unless a later phase fails.
        if before == "passed" or outcome == "failed":
            self._outcomes[report.nodeid] = outcome
        if report.failed:
            self._reasons.setdefault(report.nodeid, _reason(report))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._outcomes[report.nodeid] = "failed"
            self._reasons[report.nodeid] = _reason(report)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        gc.collect()  # frees streams in reference cycles
        telemetry = self._telemetry
        fields = {
            "client_version": self._suite.client_version,
            "version": self._subject.version,
            "started": telemetry.started,
            "ended": telemetry.ended,
            "unended": sorted(telemetry.open_spans.values()),
            "logged": telemetry.logged,
            "instrumented_tests": sorted(call_tracker.tests),
            "outcomes": {} if self._worker else self._outcomes,
            "reasons": {} if self._worker else self._reasons,
        }
        path = self._record / f"{self._worker or 'reporter'}.json"
        path.write_text(json.dumps(fields), encoding="utf-8")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    crash: Any = getattr(report.longrepr, "reprcrash", None)
    text = str(report.longrepr) if crash is None else crash.message
    return next((line for line in text.strip().splitlines() if line), "")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(_Recorder(config), "client-suites-recorder")
