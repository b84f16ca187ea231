"""What settings may be, and what is refused at once."""

from __future__ import annotations

import pytest

from opentelemetry.exporter.mlflow._destinations._databricks import (
    Databricks,
)
from opentelemetry.exporter.mlflow._destinations._local_store import Store
from opentelemetry.exporter.mlflow._destinations._server import Server

from .sending import to


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("http://localhost:5000", Server),
        ("https://mlflow.example/prefix/", Server),
        ("HTTP://localhost:5000", Server),
        ("sqlite:///mlflow.db", Store),
        ("sqlite://", Store),
        ("postgresql+psycopg2://u:p@host/db", Store),
        ("mysql://host/db", Store),
        ("mssql+pyodbc://host/db", Store),
        ("databricks", Databricks),
        ("Databricks://profile", Databricks),
    ],
)
def test_the_scheme_says_what_mlflow_is(monkeypatch, uri, kind):
    assert type(to(uri)._inner) is kind
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert type(to()._inner) is kind


def test_without_an_address_it_is_mlflows_own_default(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    assert to().address == "sqlite:///mlflow.db"

    import mlflow.store.tracking

    assert mlflow.store.tracking.DEFAULT_TRACKING_URI == "sqlite:///mlflow.db"


@pytest.mark.parametrize(
    ("uri", "objection"),
    [
        ("databricks-uc", "is databricks, or databricks://profile for"),
        ("databricks://scope:prefix", "is databricks, or databricks://profile for"),
        ("uc:http://localhost", "is databricks, or databricks://profile for"),
        ("file:///tmp/mlruns", "MLflow keeps no spans in files ('file:///tmp/mlruns')"),
        ("./mlruns", "MLflow keeps no spans in files ('./mlruns')"),
        ("localhost:5000", "such as http://localhost:5000"),
        ("htp://u:secret@host", "not 'htp://host'"),
        ("http://", "such as http://localhost:5000"),
        ("http:///path", "such as http://localhost:5000"),
        ("http://host:port", "such as http://localhost:5000"),
        ("http://host:99999", "such as http://localhost:5000"),
        ("http://[::1", "such as http://localhost:5000"),
        ("sqlite:mlflow.db", "such as sqlite:///mlflow.db"),
        ("s3://bucket?key=secret", "not 's3://bucket'"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(monkeypatch, uri, objection):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(ValueError, match=r"^MLFLOW_TRACKING_URI") as caught:
        to()
    assert objection in str(caught.value)
    assert "secret" not in str(caught.value)
    with pytest.raises(ValueError, match=r"^the argument tracking_uri"):
        to(uri)


@pytest.mark.parametrize("value", ["soon", "0", "-1", "inf", "nan", "10s"])
def test_a_timeout_is_a_number_of_seconds(monkeypatch, value):
    monkeypatch.setenv("OTEL_EXPORTER_MLFLOW_TIMEOUT", value)
    with pytest.raises(
        ValueError, match=r"^OTEL_EXPORTER_MLFLOW_TIMEOUT takes .* such as 30, not"
    ):
        to("http://localhost")


@pytest.mark.parametrize("value", ["agents", "-1", "1.0", "²", "1 2"])
def test_an_experiment_id_is_a_number(monkeypatch, value):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", value)
    with pytest.raises(
        ValueError, match=r"^MLFLOW_EXPERIMENT_ID takes .* MLFLOW_EXPERIMENT_NAME"
    ):
        to("http://localhost")


def test_an_experiment_name_is_not_empty():
    with pytest.raises(ValueError, match=r"^the argument experiment_name takes"):
        to("http://localhost", experiment_name=" ")


def test_two_arguments_for_one_experiment_are_refused_as_mlflow_does():
    with pytest.raises(ValueError, match="experiment_id and experiment_name, not both"):
        to("http://localhost", experiment_id="1", experiment_name="agents")


@pytest.mark.parametrize(
    "variable", ["MLFLOW_TRACKING_SERVER_CERT_PATH", "MLFLOW_TRACKING_CLIENT_CERT_PATH"]
)
def test_a_certificate_file_exists(monkeypatch, variable):
    monkeypatch.setenv(variable, "/no/such.pem")
    with pytest.raises(ValueError, match=f"^{variable} .* no file is /no/such.pem"):
        to("http://localhost")


def test_a_switch_is_true_or_false(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", "yes")
    with pytest.raises(ValueError, match=r"^MLFLOW_TRACKING_INSECURE_TLS must be true"):
        to("http://localhost")


@pytest.mark.parametrize("variable", ["MLFLOW_TRACKING_TOKEN", "MLFLOW_WORKSPACE"])
def test_a_header_is_printable_and_not_shown(monkeypatch, variable):
    monkeypatch.setenv(variable, "secret\nX-Other: 1")
    with pytest.raises(ValueError, match=f"^{variable} takes") as caught:
        to("http://localhost")
    assert "secret" not in str(caught.value)
