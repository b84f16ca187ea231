"""The command line, and the order of the checks."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from opentelemetry.exporter.mlflow._diagnosis._configuration import (
    DestinationKind,
    read_configuration,
)
from opentelemetry.exporter.mlflow._diagnosis._probe import (
    make_probe_span,
    mlflow_trace_id,
    read_trace,
)
from opentelemetry.exporter.mlflow._diagnosis._program_check import check_program
from opentelemetry.exporter.mlflow._diagnosis._report import Report
from opentelemetry.exporter.mlflow._diagnosis._spool_check import check_spool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._diagnosis._configuration import Configuration

_DESCRIPTION = """
Checks the export to MLflow with the settings of the environment. Sends a trace as a
probe, reads it back, and shows what waits in the spool and what a program would record.
Prints one line for each check.
The exit status is 0 if no check has failed, and 1 otherwise.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status."""
    parser = argparse.ArgumentParser(
        "python -m opentelemetry.exporter.mlflow", description=_DESCRIPTION
    )
    parser.add_argument(
        "--no-probe", action="store_true", help="check without sending a trace"
    )
    parser.add_argument(
        "--drain",
        action="store_true",
        help="send what waits in the spool for this destination",
    )
    parser.add_argument(
        "--spool", metavar="FOLDER", help="default: OTEL_EXPORTER_MLFLOW_SPOOL"
    )
    options = parser.parse_args(arguments)
    report = Report()
    configuration = _check_settings(options.spool, report)
    if configuration is not None:
        names_traces = _check_destination(configuration, report)
        if options.no_probe:
            report.skipped("probe", "--no-probe is set")
        elif report.has_failure:
            report.skipped("probe", "the checks before it failed")
        else:
            _check_probe(configuration, report, names_traces=names_traces)
        check_spool(configuration, report, wants_drain=options.drain)
        configuration.destination.close()
    check_program(report)
    return int(report.has_failure)


def _check_settings(spool: str | None, report: Report) -> Configuration | None:
    with report.check("settings"):
        configuration = read_configuration(spool)
        report.ok("settings", configuration.summary)
        return configuration
    return None


def _check_destination(configuration: Configuration, report: Report) -> bool:
    """Return whether the server gives a trace another id than that of its spans."""
    if configuration.kind is not DestinationKind.SERVER:
        report.skipped(
            "server", f"only the probe can check this {configuration.kind.value}"
        )
        return False
    from opentelemetry.exporter.mlflow._diagnosis._server_check import ServerCheck

    server = ServerCheck(configuration)
    with report.check("server"):
        report.ok("server", server.describe_version())
    if report.has_failure:
        report.skipped("experiment", "the check of the server failed")
    else:
        with report.check("experiment"):
            report.ok("experiment", server.describe_experiment())
    server.close()
    return server.names_traces


def _check_probe(
    configuration: Configuration, report: Report, *, names_traces: bool
) -> None:
    span = make_probe_span()
    name = mlflow_trace_id(span)
    with report.check("probe"):
        configuration.destination.send(configuration.translator.translate([span]))
        report.ok("probe", f"trace {name} was accepted; it may be deleted")
    if report.has_failure:
        report.skipped("trace", "the probe was not accepted")
    elif names_traces:
        report.skipped(
            "trace",
            "this version of MLflow gives it an id of its own. Look for "
            f"{span.name!r} in the experiment",
        )
    elif configuration.kind in (DestinationKind.SERVER, DestinationKind.LOCAL_STORE):
        with report.check("trace"):
            report.ok("trace", _describe_trace(configuration, span))
    else:
        report.skipped(
            "trace",
            f"it is not read back from this {configuration.kind.value}. Look for "
            f"{name} in MLflow",
        )


def _describe_trace(configuration: Configuration, span: ReadableSpan) -> str:
    trace = read_trace(configuration, span)
    text = f"read back from experiment {trace.experiment_id}, state {trace.state}"
    if configuration.kind is DestinationKind.SERVER:
        text += (
            f". See {configuration.destination.address}/#/experiments/"
            f"{trace.experiment_id}/traces/{mlflow_trace_id(span)}"
        )
    return text
