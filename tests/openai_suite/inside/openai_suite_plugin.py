"""A pytest plugin: switches a subject on, keeps outcomes and counts spans.

Loaded with `-p` into openai-python's own test run. `OPENAI_SUITE_SUBJECT` names the
subject; `OPENAI_SUITE_RECORD` a folder, into which each process of the run writes what
it saw.
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
from openai_suite_subjects import SUBJECTS, reach
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

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span

# What instrumentations log under; a warning there is theirs.
_LOGGERS: Final = ("opentelemetry", "openinference", "mlflow")


class _Watch(SpanProcessor, logging.Handler):
    """The spans begun and ended, and what was logged, by the test at the time."""

    def __init__(self) -> None:
        logging.Handler.__init__(self, logging.WARNING)
        self.test = ""
        self.started = 0
        self.ended = 0
        self.logged: list[tuple[str, str, str]] = []
        self.open: dict[int, tuple[str, str]] = {}
        self._counting = Lock()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        with self._counting:
            self.started += 1
            self.open[span.context.span_id] = (span.name, self.test)

    def on_end(self, span: ReadableSpan) -> None:
        with self._counting:
            self.ended += 1
            self.open.pop(span.context.span_id, None)

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            said += f": {record.exc_info[1]!r}"
        self.logged.append((self.test, record.name, said))


class _Recorder:
    def __init__(self, config: pytest.Config) -> None:
        self._subject = SUBJECTS[os.environ["OPENAI_SUITE_SUBJECT"]]
        self._record = Path(os.environ["OPENAI_SUITE_RECORD"])
        self._worker: str | None = getattr(config, "workerinput", {}).get("workerid")
        self._outcomes: dict[str, str] = {}
        self._reasons: dict[str, str] = {}
        self._watch = _Watch()
        self._switch_on()

    def _switch_on(self) -> None:
        for name in _LOGGERS:
            logging.getLogger(name).addHandler(self._watch)
        tracing = TracerProvider(
            sampler=ALWAYS_ON if self._subject.sampled else ALWAYS_OFF
        )
        tracing.add_span_processor(self._watch)
        tracing.add_span_processor(SimpleSpanProcessor(InMemorySpanExporter()))
        metering = MeterProvider([InMemoryMetricReader()])
        events = LoggerProvider()
        events.add_log_record_processor(
            SimpleLogRecordProcessor(InMemoryLogRecordExporter())
        )
        # Both ways: not every subject takes all of them as arguments.
        set_tracer_provider(tracing)
        set_meter_provider(metering)
        set_logger_provider(events)
        # The tests make warnings errors; what a peer says while it is imported is none.
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            self._subject.switch_on(
                tracer_provider=tracing, meter_provider=metering, logger_provider=events
            )

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._watch.test = reach.now = nodeid

    # In the process that reports; a worker's reports arrive there too.
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        outcome = "xfailed" if hasattr(report, "wasxfail") else report.outcome
        before = self._outcomes.get(report.nodeid, "passed")
        # The first phase that was not passed says it; a failure afterwards wins.
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
        gc.collect()  # a stream in a cycle is dropped only now
        watch = self._watch
        seen = {
            "version": self._subject.version,
            "started": watch.started,
            "ended": watch.ended,
            "leaked": sorted(watch.open.values()),
            "logged": watch.logged,
            "reached": sorted(reach.tests),
            "outcomes": {} if self._worker else self._outcomes,
            "reasons": {} if self._worker else self._reasons,
        }
        path = self._record / f"{self._worker or 'reporter'}.json"
        path.write_text(json.dumps(seen), encoding="utf-8")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    crash: Any = getattr(report.longrepr, "reprcrash", None)
    said = str(report.longrepr) if crash is None else crash.message
    return next((line for line in said.strip().splitlines() if line), "")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(_Recorder(config), "openai-suite-recorder")
