"""Valid and invalid settings."""

from __future__ import annotations

import pytest

from opentelemetry.exporter.mlflow._destinations._databricks import (
    DatabricksDestination,
)
from opentelemetry.exporter.mlflow._destinations._local_store import (
    LocalStoreDestination,
)
from opentelemetry.exporter.mlflow._destinations._server import MlflowServerDestination

from .destination import new_destination


@pytest.mark.parametrize(
    ("uri", "destination_type"),
    [
        ("http://localhost:5000", MlflowServerDestination),
        ("https://mlflow.example/prefix/", MlflowServerDestination),
        ("HTTP://localhost:5000", MlflowServerDestination),
        ("sqlite:///mlflow.db", LocalStoreDestination),
        ("sqlite://", LocalStoreDestination),
        ("postgresql+psycopg2://u:p@host/db", LocalStoreDestination),
        ("mysql://host/db", LocalStoreDestination),
        ("mssql+pyodbc://host/db", LocalStoreDestination),
        ("databricks", DatabricksDestination),
        ("Databricks://profile", DatabricksDestination),
    ],
)
def test_scheme_selects_destination(monkeypatch, uri, destination_type):
    assert type(new_destination(uri)._destination) is destination_type
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert type(new_destination()._destination) is destination_type


def test_default_tracking_uri_is_mlflows_default(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    assert new_destination().address == "sqlite:///mlflow.db"

    import mlflow.store.tracking

    assert mlflow.store.tracking.DEFAULT_TRACKING_URI == "sqlite:///mlflow.db"


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        (
            "databricks-uc",
            "must be databricks to export to Databricks, or databricks://",
        ),
        (
            "databricks://scope:prefix",
            "must be databricks to export to Databricks, or databricks://",
        ),
        (
            "uc:http://localhost",
            "must be databricks to export to Databricks, or databricks://",
        ),
        (
            "file:///tmp/mlruns",
            "(MLflow does not store spans in files); got 'file:///tmp/mlruns'",
        ),
        ("./mlruns", "(MLflow does not store spans in files); got './mlruns'"),
        ("localhost:5000", "for example http://localhost:5000"),
        ("htp://u:secret@host", "got 'htp://host'"),
        ("http://", "for example http://localhost:5000"),
        ("http:///path", "for example http://localhost:5000"),
        ("http://host:port", "for example http://localhost:5000"),
        ("http://host:99999", "for example http://localhost:5000"),
        ("http://[::1", "for example http://localhost:5000"),
        ("sqlite:mlflow.db", "for example sqlite:///mlflow.db"),
        ("s3://bucket?key=secret", "got 's3://bucket'"),
    ],
)
def test_invalid_tracking_uri_raises_value_error(monkeypatch, uri, message):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(ValueError, match=r"^MLFLOW_TRACKING_URI") as raised:
        new_destination()
    assert message in str(raised.value)
    assert "secret" not in str(raised.value)
    with pytest.raises(ValueError, match=r"^the argument tracking_uri"):
        new_destination(uri)


@pytest.mark.parametrize("value", ["soon", "0", "-1", "inf", "nan", "10s"])
def test_timeout_must_be_positive_number(monkeypatch, value):
    monkeypatch.setenv("OTEL_EXPORTER_MLFLOW_TIMEOUT", value)
    with pytest.raises(
        ValueError,
        match=r"^OTEL_EXPORTER_MLFLOW_TIMEOUT must be .* for example 30; got",
    ):
        new_destination("http://localhost")


@pytest.mark.parametrize("value", ["agents", "-1", "1.0", "²", "1 2"])
def test_experiment_id_must_be_number(monkeypatch, value):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", value)
    with pytest.raises(
        ValueError, match=r"^MLFLOW_EXPERIMENT_ID must be .* MLFLOW_EXPERIMENT_NAME"
    ):
        new_destination("http://localhost")


def test_experiment_name_must_not_be_empty():
    with pytest.raises(ValueError, match=r"^the argument experiment_name must be"):
        new_destination("http://localhost", experiment_name=" ")


def test_experiment_id_and_name_are_mutually_exclusive():
    with pytest.raises(ValueError, match="experiment_id or experiment_name, not both"):
        new_destination("http://localhost", experiment_id="1", experiment_name="agents")


@pytest.mark.parametrize(
    "variable", ["MLFLOW_TRACKING_SERVER_CERT_PATH", "MLFLOW_TRACKING_CLIENT_CERT_PATH"]
)
def test_certificate_file_must_exist(monkeypatch, variable):
    monkeypatch.setenv(variable, "/no/such.pem")
    with pytest.raises(ValueError, match=f"^{variable} .* /no/such.pem does not exist"):
        new_destination("http://localhost")


def test_insecure_tls_must_be_boolean(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", "yes")
    with pytest.raises(ValueError, match=r"^MLFLOW_TRACKING_INSECURE_TLS must be true"):
        new_destination("http://localhost")


@pytest.mark.parametrize("variable", ["MLFLOW_TRACKING_TOKEN", "MLFLOW_WORKSPACE"])
def test_header_value_must_be_printable_and_is_not_quoted(monkeypatch, variable):
    monkeypatch.setenv(variable, "secret\nX-Other: 1")
    with pytest.raises(
        ValueError, match=f"^{variable} must contain only printable"
    ) as raised:
        new_destination("http://localhost")
    assert "secret" not in str(raised.value)
