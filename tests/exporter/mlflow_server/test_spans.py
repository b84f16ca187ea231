"""MLflow stores the spans unchanged, except those that cannot be encoded."""

from __future__ import annotations

import pytest
from dirty_equals import IsPartialDict, IsStr
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import Link, Status, StatusCode

from opentelemetry.exporter.mlflow._replace_span import replace_span

from .agent_spans import PROMPT, make_chat_span, message
from .conftest import FAILURE, IGNORE_STORE_WARNING

pytestmark = [pytest.mark.e2e, IGNORE_STORE_WARNING]


def test_reasoning_tokens_and_deepseek_attributes_are_kept(server, spans):
    make_chat_span(
        spans, PROMPT, message("assistant"), **{"deepseek.system_fingerprint": "fp"}
    )
    (span,) = spans.take()
    server.export([span])
    assert server.read_trace(span).data.spans[0].attributes == IsPartialDict(
        {
            "gen_ai.usage.reasoning.output_tokens": 40,
            "gen_ai.response.finish_reasons": ["stop"],
            "deepseek.system_fingerprint": "fp",
        }
    )


def test_ids_times_status_events_and_links_are_unchanged(mlflow, spans):
    other = spans.make("other")
    with spans.tracer.start_as_current_span(
        "root", links=[Link(other.context)], attributes={"number": 1}
    ) as span:
        span.record_exception(ValueError("no"))
        span.set_status(Status(StatusCode.ERROR, "why"))
    (finished_span,) = spans.take()
    mlflow.export([finished_span])
    trace = mlflow.read_trace(finished_span)
    (root,) = trace.data.spans
    assert trace.info.state.value == "ERROR"
    assert trace.info.request_time == finished_span.start_time // 1_000_000
    assert (root.start_time_ns, root.end_time_ns) == (
        finished_span.start_time,
        finished_span.end_time,
    )
    assert root.span_id == f"{finished_span.context.span_id:016x}"
    assert (root.status.status_code.value, root.status.description) == ("ERROR", "why")
    assert root.events[0].attributes == IsPartialDict(
        {"exception.type": "ValueError", "exception.stacktrace": IsStr()}
    )
    assert root.links[0].trace_id == f"tr-{other.context.trace_id:032x}"
    assert root.attributes["number"] == 1


def test_only_the_span_that_cannot_be_encoded_is_dropped(mlflow, spans):
    """Values that MLflow would refuse are sanitized before."""
    valid = [spans.make(f"valid {number}") for number in range(9)]
    resource = Resource({}, schema_url=1970)
    invalid = replace_span(spans.make("invalid"), resource=resource)
    exporter = mlflow.make_exporter()
    assert exporter.export([*valid[:4], invalid, *valid[4:]]) is FAILURE
    assert exporter.dropped_spans == 1
    exporter.shutdown()
    assert mlflow.search_names("trace.status = 'OK'") == [
        f"valid {number}" for number in range(9)
    ]
