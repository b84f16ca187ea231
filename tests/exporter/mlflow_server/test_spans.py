"""A span arrives as it is; one that cannot be encoded is lost alone."""

from __future__ import annotations

import pytest
from dirty_equals import IsPartialDict, IsStr
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import Link, Status, StatusCode

from opentelemetry.exporter.mlflow._replace_span import replace_span

from .agents import HISTORY, chat, message
from .conftest import FAILURE, OPENS_A_STORE

pytestmark = [pytest.mark.e2e, OPENS_A_STORE]


def test_reasoning_tokens_and_what_is_ours_stay_attributes(server, spans):
    chat(spans, HISTORY, message("assistant"), **{"deepseek.system_fingerprint": "fp"})
    (span,) = spans.take()
    server.export([span])
    assert server.trace(span).data.spans[0].attributes == IsPartialDict(
        {
            "gen_ai.usage.reasoning.output_tokens": 40,
            "gen_ai.response.finish_reasons": ["stop"],
            "deepseek.system_fingerprint": "fp",
        }
    )


def test_ids_times_status_events_and_links_are_the_same(mlflow, spans):
    other = spans.make("other")
    with spans.tracer.start_as_current_span(
        "root", links=[Link(other.context)], attributes={"number": 1}
    ) as span:
        span.record_exception(ValueError("no"))
        span.set_status(Status(StatusCode.ERROR, "why"))
    (ended,) = spans.take()
    mlflow.export([ended])
    trace = mlflow.trace(ended)
    (root,) = trace.data.spans
    assert trace.info.state.value == "ERROR"
    assert trace.info.request_time == ended.start_time // 1_000_000
    assert (root.start_time_ns, root.end_time_ns) == (ended.start_time, ended.end_time)
    assert root.span_id == f"{ended.context.span_id:016x}"
    assert (root.status.status_code.value, root.status.description) == ("ERROR", "why")
    assert root.events[0].attributes == IsPartialDict(
        {"exception.type": "ValueError", "exception.stacktrace": IsStr()}
    )
    assert root.links[0].trace_id == f"tr-{other.context.trace_id:032x}"
    assert root.attributes["number"] == 1


def test_one_span_that_cannot_be_encoded_is_lost_alone(mlflow, spans):
    """What MLflow itself would refuse is made fit before."""
    good = [spans.make(f"good {number}") for number in range(9)]
    bad = replace_span(spans.make("bad"), resource=Resource({}, schema_url=1970))
    exporter = mlflow.exporter()
    assert exporter.export([*good[:4], bad, *good[4:]]) is FAILURE
    assert exporter.dropped_spans == 1
    exporter.shutdown()
    assert mlflow.found("trace.status = 'OK'") == [f"good {n}" for n in range(9)]
