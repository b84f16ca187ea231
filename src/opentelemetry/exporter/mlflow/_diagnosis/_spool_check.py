"""Shows what waits in the spool, and drains it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from opentelemetry.exporter.mlflow._delivery._memory_queue import MemoryQueue
from opentelemetry.exporter.mlflow._delivery._spool import Spool
from opentelemetry.exporter.mlflow._delivery._spool_access import SpoolUnavailableError
from opentelemetry.exporter.mlflow._delivery._spool_contents import spool_contents
from opentelemetry.exporter.mlflow._destinations import ExportError
from opentelemetry.exporter.mlflow._diagnosis._drain import drain
from opentelemetry.exporter.mlflow.environment_variables import (
    OTEL_EXPORTER_MLFLOW_SPOOL,
)

if TYPE_CHECKING:
    from opentelemetry.exporter.mlflow._delivery._request_queue import QueueState
    from opentelemetry.exporter.mlflow._delivery._spool_settings import SpoolSettings
    from opentelemetry.exporter.mlflow._diagnosis._configuration import Configuration
    from opentelemetry.exporter.mlflow._diagnosis._report import Report

_SECONDS_PER_UNIT = (("days", 86_400), ("hours", 3_600), ("minutes", 60))


def check_spool(
    configuration: Configuration, report: Report, *, wants_drain: bool
) -> None:
    settings = configuration.spool
    if settings is None:
        text = f"there is none. Set {OTEL_EXPORTER_MLFLOW_SPOOL} or --spool"
        (report.failed if wants_drain else report.skipped)("spool", text)
        return
    with report.check("spool"):
        contents = _read(settings)
        own = configuration.destination.target
        for name, state in contents.items():
            owner = name if name == own else f"another destination, {name}"
            report.ok("spool", f"spans that wait for {owner}: {_describe(state)}")
        if own not in contents:
            report.ok("spool", f"nothing waits for {own} in {settings.folder}")
        elif wants_drain:
            with report.check("drain"):
                _drain(configuration, settings, report)


def _read(settings: SpoolSettings) -> dict[str, QueueState]:
    try:
        return spool_contents(settings)
    except SpoolUnavailableError as error:
        raise ExportError(
            f"the spool in {settings.folder} cannot be used ({error.__cause__})",
            "Check the disk and the permissions of the folder",
        ) from error


def _describe(state: QueueState) -> str:
    return (
        f"{state.span_count} ({state.byte_count:,} bytes, the oldest for "
        f"{_duration(state.oldest_age)})"
    )


def _duration(seconds: float) -> str:
    for unit, unit_seconds in _SECONDS_PER_UNIT:
        if seconds >= 2 * unit_seconds:
            return f"{seconds / unit_seconds:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _drain(
    configuration: Configuration, settings: SpoolSettings, report: Report
) -> None:
    def report_drop(span_count: int, reason: str) -> None:
        report.failed("drain", f"spans dropped: {span_count} ({reason})")

    with closing(
        Spool(
            settings.folder,
            lambda: configuration.destination.target,
            max_bytes=settings.max_bytes,
            max_age_seconds=settings.max_age_seconds,
            on_drop=report_drop,
            fallback=MemoryQueue(settings.max_bytes, report_drop),
        )
    ) as spool:
        result = drain(spool, configuration.destination)
        waiting = spool.state().span_count
    text = f"spans sent: {result.sent}, waiting: {waiting}"
    if result.error:
        report.failed(
            "drain",
            f"{text}, rejected: {result.rejected}. {result.error.cause}. "
            f"{result.error.advice}",
        )
    elif waiting:
        report.failed("drain", f"{text}; other processes are sending them")
    else:
        report.ok("drain", text)
