"""Which exporters OpenTelemetry will not find, and what the command logs about them."""

from __future__ import annotations

import pytest

from opentelemetry.exporter.mlflow import _configured_exporters
from opentelemetry.exporter.mlflow._command_variables import log_messages
from opentelemetry.exporter.mlflow._configured_exporters import exporter_problems

NONE = {"OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "None "}
URI = {"MLFLOW_TRACKING_URI": "http://localhost:5000"}


class EntryPoints:
    def __init__(self, names):
        self.names = set(names)


@pytest.fixture
def installed(monkeypatch):
    """A function that sets what is installed."""

    def install(*exporters, configurators=("configurator",)):
        def entry_points(group):
            if group == "opentelemetry_configurator":
                return EntryPoints(configurators)
            mlflow = ["mlflow"] if group == "opentelemetry_traces_exporter" else []
            return EntryPoints([*exporters, "console", *mlflow])

        monkeypatch.setattr(_configured_exporters, "entry_points", entry_points)
        monkeypatch.setattr(f"{log_messages.__module__}.entry_points", entry_points)

    install("otlp_proto_http")
    return install


@pytest.mark.parametrize(
    "variables",
    [
        {"OTEL_TRACES_EXPORTER": "mlflow"} | NONE,
        {"OTEL_TRACES_EXPORTER": "console, mlflow,"} | NONE,
        {"OTEL_TRACES_EXPORTER": "otlp_proto_http"} | NONE,
        {"OTEL_TRACES_EXPORTER": ""} | NONE,
        {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf "},
        NONE | {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"},
    ],
    ids=str,
)
def test_installed_exporters_are_no_problem(installed, variables):
    assert list(exporter_problems(variables)) == []


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        (
            {"OTEL_TRACES_EXPORTER": "mlfow"} | NONE,
            (
                "OTEL_TRACES_EXPORTER has 'mlfow', which is not installed. "
                "Did you mean mlflow?"
            ),
        ),
        (
            {"OTEL_TRACES_EXPORTER": "jaeger"} | NONE,
            (
                "OTEL_TRACES_EXPORTER has 'jaeger', which is not installed. Known are "
                "console, mlflow, none, otlp."
            ),
        ),
        (
            NONE,
            (
                "OTEL_TRACES_EXPORTER: otlp, the default, "
                "is not installed for grpc. Set OTEL_TRACES_EXPORTER=mlflow, or for "
                "an OTLP backend OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf."
            ),
        ),
        (
            {"OTEL_TRACES_EXPORTER": "mlflow", "OTEL_METRICS_EXPORTER": "otlp"},
            (
                "OTEL_METRICS_EXPORTER and OTEL_LOGS_EXPORTER: otlp, the default, is "
                "not installed for grpc. Set "
                "OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none, or for an OTLP "
                "backend OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf."
            ),
        ),
    ],
    ids=str,
)
def test_missing_exporter_has_a_remedy(installed, variables, problem):
    assert list(exporter_problems(variables)) == [problem]


def test_without_any_exporter_of_otlp_a_package_is_named(installed):
    installed()
    (problem,) = exporter_problems(NONE)
    assert problem.endswith(
        "or for an OTLP backend install opentelemetry-exporter-otlp."
    )


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            URI | {"OTEL_TRACES_EXPORTER": "mlfow"} | NONE,
            "OpenTelemetry will not start, and nothing will be recorded: ",
        ),
        (URI | NONE, "MLFLOW_TRACKING_URI is set, but no spans are exported to MLflow"),
        (URI | NONE | {"OTEL_TRACES_EXPORTER": ""}, "MLFLOW_TRACKING_URI is set"),
        (URI | NONE | {"OTEL_TRACES_EXPORTER": "otlp"}, None),
        (NONE, None),
        (URI | NONE | {"OTEL_TRACES_EXPORTER": "none"}, None),
        ({"OTEL_TRACES_EXPORTER": "mlfow", "OTEL_SDK_DISABLED": "True"}, None),
        ({"OTEL_TRACES_EXPORTER": "mlfow", "OTEL_CONFIG_FILE": "a.yaml"}, None),
    ],
    ids=str,
)
def test_command_logs_what_keeps_spans_from_mlflow(installed, variables, message):
    installed("otlp_proto_grpc")
    messages = list(log_messages(variables, ["python", "app.py"]))
    assert len(messages) == (message is not None)
    assert all(line.startswith(message) for line in messages)


def test_command_logs_nothing_where_it_does_not_know_the_exporters(installed):
    misspelt = {"OTEL_TRACES_EXPORTER": "mlfow"} | NONE
    assert list(log_messages(misspelt, ["--traces_exporter", "mlflow", "app"])) == []
    installed(configurators=["other"])
    assert list(log_messages(misspelt, [])) == []
    installed(configurators=[])
    assert list(log_messages(misspelt, [])) == []
