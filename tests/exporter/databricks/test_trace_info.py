"""TraceInfo and TraceData of exported traces."""

from __future__ import annotations

import json

import pytest
from dirty_equals import IsPartialDict
from opentelemetry.trace import Link, SpanContext, Status, StatusCode

from opentelemetry.exporter.mlflow._trace_info import _previews

from .agent_trace import agent_trace
from .destination import new_destination, translate
from .workspace_contents import sent_trace_infos, stored_spans


def test_error_link_and_preview_of_plain_json(databricks, spans):
    context = SpanContext(7, 8, is_remote=True)
    with spans.tracer.start_as_current_span(
        "job",
        links=[Link(context, {"why": "because"})],
        attributes={"mlflow.spanInputs": '{"q": 1}', "odd": float("nan")},
    ) as span:
        span.set_status(Status(StatusCode.ERROR, "broken"))
    (span,) = spans.take()
    destination = new_destination()
    destination.send(translate([span]))
    destination.close()
    trace_info = sent_trace_infos(databricks)[0]
    assert (trace_info["state"], trace_info["request_preview"]) == ("ERROR", '{"q": 1}')
    assert "response_preview" not in trace_info
    (stored_span,) = stored_spans(databricks, span)
    assert stored_span["status"] == {"code": "STATUS_CODE_ERROR", "message": "broken"}
    assert stored_span["links"] == [
        {
            "trace_id": "tr-" + "7".zfill(32),
            "span_id": "8".zfill(16),
            "attributes": {"why": "because"},
        }
    ]


def test_resource_attributes_are_tags(databricks, spans):
    destination = new_destination()
    (span,) = translate([spans.make("s")])
    span.resource._attributes = {"service.name": "shop", "telemetry.sdk.name": "x"}
    destination.send([span])
    destination.close()
    trace_info = sent_trace_infos(databricks)[0]
    assert trace_info["tags"] == IsPartialDict(
        {"service.name": "shop", "mlflow.traceName": "s"}
    )
    assert "telemetry.sdk.name" not in trace_info["tags"]


def test_trace_without_root_is_in_progress(databricks, spans):
    chat, *_ = translate(agent_trace(spans))
    destination = new_destination()
    destination.send([chat])
    destination.close()
    trace_info = sent_trace_infos(databricks)[0]
    assert trace_info["state"] == "IN_PROGRESS"
    assert [span["name"] for span in stored_spans(databricks, chat)] == ["chat"]


@pytest.mark.parametrize(
    "value",
    [
        {"messages": [{"role": "user", "content": "a"}, {"role": "tool"}]},
        {
            "messages": [
                {"role": "user", "content": "a"},
                {"role": "system", "content": "b"},
            ]
        },
        {"messages": [{"role": "tool", "content": "only"}]},
        {"messages": [], "input": [{"role": "user", "content": "a"}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "part"}]}]},
        {"messages": [{"role": "user", "content": ["first", "second"]}]},
        {"messages": [{"role": "user", "content": None}]},
        {"messages": [{"role": "user", "content": [{"type": "image"}]}]},
        {"messages": "a"},
        {"choices": [{"message": {"role": "assistant", "content": "c"}}]},
        {"choices": [{"message": {"role": "assistant", "content": ""}}]},
        {
            "output": [
                {"role": "assistant", "content": [{"type": "output_text", "text": "o"}]}
            ]
        },
        "text",
        ["a"],
        7,
        "x" * 20_000,
    ],
)
def test_previews_equal_those_of_mlflow_client(monkeypatch, value):
    """Compares with a function of MLflow, whose name is private and may change."""
    from mlflow.tracing.utils import truncation

    monkeypatch.setattr(truncation, "_get_max_length", lambda: 10_000)
    for role in ("user", "assistant"):
        document = json.dumps(value)
        expected = truncation._get_truncated_preview(document, role)
        assert _previews.preview(document, role) == expected


def test_totals_skip_spans_beneath_spans_with_totals(databricks, spans):
    def usage(count):
        return {"mlflow.chat.tokenUsage": json.dumps({"total_tokens": count, "x": "y"})}

    tracer = spans.tracer
    with tracer.start_as_current_span("root"):
        with tracer.start_as_current_span("agent", attributes=usage(7)):
            with tracer.start_as_current_span("step"):
                tracer.start_span("chat", attributes=usage(3)).end()
            tracer.start_span("chat", attributes=usage(4)).end()
        tracer.start_span("chat", attributes=usage(1)).end()
        tracer.start_span("odd", attributes={"mlflow.chat.tokenUsage": "[1]"}).end()
    destination = new_destination()
    # Not translated: the mapping would rename the malformed value.
    destination.send(spans.take())
    destination.close()
    trace_info = sent_trace_infos(databricks)[0]
    assert (
        trace_info["trace_metadata"]["mlflow.trace.tokenUsage"] == '{"total_tokens": 8}'
    )
