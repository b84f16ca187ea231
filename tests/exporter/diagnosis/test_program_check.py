"""What the command says about the variables of the program."""

from __future__ import annotations

import pytest
from dirty_equals import IsStr

from opentelemetry.exporter.mlflow._diagnosis import _program_check

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


def test_a_program_that_exports_content_to_mlflow(mlflow, monkeypatch, run_all_checks):
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console, mlflow")
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
    monkeypatch.setenv("OTEL_LOGS_EXPORTER", "")
    monkeypatch.setenv(CAPTURE, "span_only")
    monkeypatch.setenv(
        "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS", "a.example, //u:secret@b.example:80,"
    )
    status, lines = run_all_checks()
    assert status == 0
    assert lines["exporters"] == ("ok", "OTEL_TRACES_EXPORTER is console,mlflow")
    assert lines["content"] == (
        "ok",
        f"prompts and answers are recorded ({CAPTURE} is SPAN_ONLY)",
    )
    assert lines["hosts"] == (
        "ok",
        (
            "calls to *.deepseek.com, a.example, //b.example:80 are recorded "
            "(OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS)"
        ),
    )


@pytest.mark.parametrize(
    ("variables", "outcome", "text"),
    [
        ({}, "skipped", "OTEL_TRACES_EXPORTER is not set. .*otlp,mlflow.*"),
        ({"OTEL_TRACES_EXPORTER": "none"}, "skipped", ".* is none. .* if mlflow is.*"),
        ({"OTEL_TRACES_EXPORTER": "console"}, "skipped", ".* is console. .*"),
        ({"OTEL_TRACES_EXPORTER": "mlfow"}, "failed", ".*'mlfow'.* mean mlflow.?"),
        ({"OTEL_SDK_DISABLED": "True"}, "failed", "OTEL_SDK_DISABLED is true.*"),
        ({"OTEL_CONFIG_FILE": "a.yaml"}, "skipped", "OTEL_CONFIG_FILE selects them"),
    ],
    ids=str,
)
def test_exporters(mlflow, monkeypatch, run_all_checks, variables, outcome, text):
    for signal in ("METRICS", "LOGS"):
        monkeypatch.setenv(f"OTEL_{signal}_EXPORTER", "none")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    status, lines = run_all_checks()
    assert lines["exporters"] == (outcome, IsStr(regex=text))
    assert status == (outcome == "failed")


def test_a_program_without_opentelemetry_distro(mlflow, monkeypatch, run_all_checks):
    monkeypatch.setattr(_program_check, "entry_points", lambda group: ())
    status, lines = run_all_checks()
    assert lines["exporters"] == (
        "skipped",
        IsStr(regex=".*Install opentelemetry-distro.*"),
    )
    assert status == 0


@pytest.mark.parametrize(
    ("value", "hook", "outcome", "text"),
    [
        ("", "", "skipped", f".* no prompts and answers .{CAPTURE} is not set.*"),
        ("NO_CONTENT", "", "skipped", f".*{CAPTURE} is NO_CONTENT.*SPAN_ONLY.*"),
        ("EVENT_ONLY", "", "skipped", f".*{CAPTURE} is EVENT_ONLY.*SPAN_ONLY.*"),
        ("true", "", "failed", f"{CAPTURE} is 'TRUE'.*SPAN_ONLY, SPAN_AND_EVENT, NO.*"),
        ("", "mlflow", "ok", "MLflow receives it .*COMPLETION_HOOK is mlflow.*"),
    ],
)
def test_content(mlflow, monkeypatch, run_all_checks, value, hook, outcome, text):
    monkeypatch.setenv(CAPTURE, value)
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK", hook)
    status, lines = run_all_checks()
    assert lines["content"] == (outcome, IsStr(regex=text))
    assert status == (outcome == "failed")


def test_the_program_is_checked_after_an_invalid_setting(monkeypatch, run_all_checks):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "localhost:5000")
    status, lines = run_all_checks()
    assert status == 1
    assert lines.keys() == {"settings", "exporters", "content", "hosts"}
