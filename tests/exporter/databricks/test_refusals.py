"""What is said of spans that a workspace does not take."""

from __future__ import annotations

import time

import pytest

from .exchange import Answered, error, said
from .fake import KINDS
from .received import OTLP, ROW, SPANS
from .sending import mapped, refused, to


@pytest.mark.parametrize("kind", KINDS)
def test_a_storage_out_of_reach_is_told_from_a_workspace(databricks, spans, kind):
    databricks.kind = kind
    databricks.fail[SPANS] = Answered(403)
    place = to()
    why = refused(place, mapped([spans.made()]))
    assert why.cause == (
        "the traces are listed, but their spans cannot be stored (403)"
    )
    assert "cloud storage" in why.advice
    assert not why.is_divisible


def test_a_storage_that_is_not_there_is_said_without_its_address(databricks, spans):
    credential = {
        "type": "AWS_PRESIGNED_URL",
        "signed_uri": "http://127.0.0.1:9/b?sig=s3cr3t",
    }
    databricks.fail["credentials-for"] = said({"credential_info": credential})
    why = refused(to(), mapped([spans.made()]))
    assert why.cause == (
        "the traces are listed, but their spans cannot be stored (ConnectionError)"
    )
    assert "s3cr3t" not in f"{why.__cause__}{why.__context__ and ''}"


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (error(500, "INTERNAL_ERROR"), "the workspace refuses (INTERNAL_ERROR)"),
        (error(429, "REQUEST_LIMIT_EXCEEDED"), "the workspace does not answer (Time"),
    ],
)
def test_a_workspace_in_trouble_costs_seconds_not_minutes(
    databricks, monkeypatch, spans, answer, cause
):
    from opentelemetry.exporter.mlflow._destinations._databricks import _workspace

    monkeypatch.setattr(_workspace, "_PATIENCE_SECONDS", 2)
    databricks.fail[ROW] = answer
    began = time.monotonic()
    assert refused(to(), mapped([spans.made()])).cause.startswith(cause)
    assert time.monotonic() - began < 8


def test_nobody_there_is_said(databricks, monkeypatch, spans):
    from opentelemetry.exporter.mlflow._destinations._databricks import _workspace

    monkeypatch.setattr(_workspace, "_PATIENCE_SECONDS", 1)
    monkeypatch.setenv("DATABRICKS_HOST", "http://127.0.0.1:9")
    why = refused(to(), mapped([spans.made()]))
    assert why.cause.startswith("the workspace does not answer (")


@pytest.mark.parametrize(("status", "is_divisible"), [(400, True), (403, False)])
def test_a_table_that_does_not_take_them_is_named(
    databricks, spans, status, is_divisible
):
    databricks.linked = "main.agents.ds"
    databricks.fail[OTLP] = Answered(status)
    why = refused(to(), mapped([spans.made()]))
    assert why.cause == (
        f"the table main.agents.ds_otel_spans does not take them ({status})"
    )
    assert "MODIFY" in why.advice
    assert why.is_divisible is is_divisible
