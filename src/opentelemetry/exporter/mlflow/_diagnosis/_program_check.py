"""What the environment tells a program that runs with the same variables."""

from __future__ import annotations

import os
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final

from opentelemetry.exporter.mlflow._config import strip_uri_secrets
from opentelemetry.exporter.mlflow._configured_exporters import (
    TRACES_EXPORTER,
    exporter_names,
    exporter_problems,
)

if TYPE_CHECKING:
    from opentelemetry.exporter.mlflow._diagnosis._report import Report

_MLFLOW: Final = "mlflow"
# Variables of other libraries, which this package does not import here.
_CAPTURE: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_COMPLETION_HOOK: Final = "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK"
_CONFIG_FILE: Final = "OTEL_CONFIG_FILE"
_HOSTS: Final = "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS"
_SDK_DISABLED: Final = "OTEL_SDK_DISABLED"
_SPAN_CONTENT: Final = ("SPAN_ONLY", "SPAN_AND_EVENT")
_NO_SPAN_CONTENT: Final = ("", "NO_CONTENT", "EVENT_ONLY")


def check_program(report: Report) -> None:
    """Nothing here fails the export of a program that configures the SDK in code."""
    _check_exporters(report)
    _check_content(report)
    _report_hosts(report)


def _check_exporters(report: Report) -> None:
    check = "exporters"
    if _variable(_SDK_DISABLED).lower() == "true":
        report.failed(check, f"{_SDK_DISABLED} is true, so nothing is recorded")
    elif not entry_points(group="opentelemetry_configurator"):
        report.skipped(
            check,
            "opentelemetry-instrument has no effect, because no package configures "
            "OpenTelemetry's SDK. Install opentelemetry-distro, or configure it in "
            "code",
        )
    elif _variable(_CONFIG_FILE):
        report.skipped(check, f"{_CONFIG_FILE} selects them")
    elif TRACES_EXPORTER not in os.environ:
        report.skipped(
            check,
            f"{TRACES_EXPORTER} is not set. opentelemetry-instrument exports to MLflow "
            f"if it is {_MLFLOW} or otlp,{_MLFLOW}; in code it has no effect",
        )
    elif problems := list(exporter_problems(os.environ)):
        report.failed(
            check, f"opentelemetry-instrument will record nothing: {' '.join(problems)}"
        )
    elif _MLFLOW not in (names := exporter_names(os.environ, TRACES_EXPORTER)):
        report.skipped(
            check,
            f"{TRACES_EXPORTER} is {','.join(names) or 'none'}. "
            f"opentelemetry-instrument exports to MLflow if {_MLFLOW} is in it; in "
            "code it has no effect",
        )
    else:
        report.ok(check, f"{TRACES_EXPORTER} is {','.join(names)}")


def _check_content(report: Report) -> None:
    check = "content"
    value = _variable(_CAPTURE).upper()
    if _variable(_COMPLETION_HOOK) == _MLFLOW:
        report.ok(check, f"MLflow receives it ({_COMPLETION_HOOK} is {_MLFLOW})")
    elif value in _SPAN_CONTENT:
        report.ok(check, f"prompts and answers are recorded ({_CAPTURE} is {value})")
    elif value in _NO_SPAN_CONTENT:
        report.skipped(
            check,
            f"MLflow receives no prompts and answers ({_CAPTURE} is "
            f"{value or 'not set'}). SPAN_ONLY or SPAN_AND_EVENT records them",
        )
    else:
        known = ", ".join([*_SPAN_CONTENT, *filter(None, _NO_SPAN_CONTENT)])
        report.failed(
            check,
            f"{_CAPTURE} is {value!r}, so prompts and answers are not recorded. Set it "
            f"to one of {known}",
        )


def _report_hosts(report: Report) -> None:
    hosts = ", ".join(
        ["*.deepseek.com", *filter(None, map(str.strip, _variable(_HOSTS).split(",")))]
    )
    report.ok("hosts", f"calls to {strip_uri_secrets(hosts)} are recorded ({_HOSTS})")


def _variable(name: str) -> str:
    return os.environ.get(name, "").strip()
