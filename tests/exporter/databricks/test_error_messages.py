"""The errors for spans that a workspace does not accept."""

from __future__ import annotations

import threading
import time

import pytest

from opentelemetry.exporter.mlflow._destinations import _deadline
from tests.exporter.conftest import Response, error_response

from .destination import export_error, new_destination, translate
from .fake_storage import CREDENTIAL_TYPES
from .http_messages import json_response
from .workspace_contents import OTLP, STORAGE, TRACE_INFO_V3


@pytest.mark.parametrize("credential_type", CREDENTIAL_TYPES)
def test_storage_error_is_reported(databricks, spans, credential_type):
    databricks.storage.credential_type = credential_type
    databricks.overrides[STORAGE] = Response(403)
    destination = new_destination()
    error = export_error(destination, translate([spans.make()]))
    assert error.cause == (
        "the trace info is stored, but the spans cannot be stored (403)"
    )
    assert "cloud storage" in error.advice
    assert not error.is_divisible


def test_unreachable_storage_is_reported_without_signed_url(databricks, spans):
    credential = {
        "type": "AWS_PRESIGNED_URL",
        "signed_uri": "http://127.0.0.1:9/b?sig=s3cr3t",
    }
    databricks.overrides["credentials-for"] = json_response(
        {"credential_info": credential}
    )
    error = export_error(new_destination(), translate([spans.make()]))
    assert error.cause == (
        "the trace info is stored, but the spans cannot be stored (ConnectionError)"
    )
    assert "s3cr3t" not in f"{error.__cause__}{error.__context__ and ''}"


@pytest.mark.parametrize(
    ("response", "cause"),
    [
        (
            error_response(500, "INTERNAL_ERROR"),
            "the workspace rejects the request (INTERNAL_ERROR)",
        ),
        (
            error_response(429, "REQUEST_LIMIT_EXCEEDED"),
            "the workspace does not respond (Time",
        ),
    ],
)
def test_workspace_errors_end_retries_within_seconds(
    databricks, monkeypatch, spans, response, cause
):
    from opentelemetry.exporter.mlflow._destinations._databricks import _workspace

    monkeypatch.setattr(_workspace, "_RETRY_TIMEOUT_SECONDS", 2)
    databricks.overrides[TRACE_INFO_V3] = response
    start = time.monotonic()
    error = export_error(new_destination(), translate([spans.make()]))
    assert error.cause.startswith(cause)
    assert time.monotonic() - start < 8


def test_unreachable_workspace_is_reported(databricks, monkeypatch, spans):
    from opentelemetry.exporter.mlflow._destinations._databricks import _workspace

    monkeypatch.setattr(_workspace, "_RETRY_TIMEOUT_SECONDS", 1)
    monkeypatch.setenv("DATABRICKS_HOST", "http://127.0.0.1:9")
    error = export_error(new_destination(), translate([spans.make()]))
    assert error.cause.startswith("the workspace does not respond (")


@pytest.mark.parametrize(("status", "is_divisible"), [(400, True), (403, False)])
def test_error_of_table_names_table(databricks, spans, status, is_divisible):
    databricks.table_prefix = "main.agents.ds"
    databricks.overrides[OTLP] = Response(status)
    error = export_error(new_destination(), translate([spans.make()]))
    assert error.cause == (
        f"the table main.agents.ds_otel_spans rejects the spans ({status})"
    )
    assert "MODIFY" in error.advice
    assert error.is_divisible is is_divisible


def test_workspace_that_does_not_respond_costs_one_timeout(
    databricks, monkeypatch, spans
):
    destination = new_destination()
    inner = destination._destination
    monkeypatch.setattr(inner, "_timeout", 0.2)
    monkeypatch.setattr(_deadline, "_MAX_LATE_CALLS", 4)
    may_end = threading.Event()
    calls = []

    def wait(batch):
        calls.append(batch)
        may_end.wait(10)

    monkeypatch.setattr(inner, "_send", wait)
    start = time.monotonic()
    for _ in range(6):
        error = export_error(destination, translate([spans.make()]))
        assert error.cause == "the workspace does not respond within 0.2 s"
        assert "OTEL_EXPORTER_MLFLOW_TIMEOUT" in error.advice
    assert time.monotonic() - start < 4
    # Only so many calls wait at the same time.
    assert len(calls) == 4
    may_end.set()
    destination.close()


def test_stored_trace_that_cannot_be_read_is_not_replaced(databricks, spans):
    databricks.overrides[r"^/api/3.0/mlflow/traces/tr-"] = error_response(
        403, "PERMISSION_DENIED"
    )
    error = export_error(new_destination(), translate([spans.make()]))
    assert "PERMISSION_DENIED" in error.cause
    assert databricks.requests_to(TRACE_INFO_V3) == []
