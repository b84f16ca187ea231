"""What the list of traces says of one, and its spans of themselves."""

from __future__ import annotations

import json

import pytest
from dirty_equals import IsPartialDict
from opentelemetry.trace import Link, SpanContext, Status, StatusCode

from opentelemetry.exporter.mlflow._trace_info import _previews

from .agent import agent
from .received import ROW, blob
from .sending import mapped, to


def test_an_error_a_link_and_a_preview_of_another_shape(databricks, spans):
    linked = SpanContext(7, 8, is_remote=True)
    with spans.tracer.start_as_current_span(
        "job",
        links=[Link(linked, {"why": "because"})],
        attributes={"mlflow.spanInputs": '{"q": 1}', "odd": float("nan")},
    ) as span:
        span.set_status(Status(StatusCode.ERROR, "broken"))
    (ended,) = spans.take()
    place = to()
    place.send(mapped([ended]))
    place.close()
    row = databricks.sent(ROW)[0].body["trace"]["trace_info"]
    assert (row["state"], row["request_preview"]) == ("ERROR", '{"q": 1}')
    assert "response_preview" not in row
    (stored,) = blob(databricks, ended)
    assert stored["status"] == {"code": "STATUS_CODE_ERROR", "message": "broken"}
    assert stored["links"] == [
        {
            "trace_id": "tr-" + "7".zfill(32),
            "span_id": "8".zfill(16),
            "attributes": {"why": "because"},
        }
    ]


def test_the_resource_stands_in_the_tags(databricks, spans):
    place = to()
    (ended,) = mapped([spans.made("s")])
    ended.resource._attributes = {"service.name": "shop", "telemetry.sdk.name": "x"}
    place.send([ended])
    place.close()
    row = databricks.sent(ROW)[0].body["trace"]["trace_info"]
    assert row["tags"] == IsPartialDict(
        {"service.name": "shop", "mlflow.traceName": "s"}
    )
    assert "telemetry.sdk.name" not in row["tags"]


def test_a_trace_whose_root_never_came_is_in_progress(databricks, spans):
    chat, *_ = mapped(agent(spans))
    place = to()
    place.send([chat])
    place.close()
    row = databricks.sent(ROW)[0].body["trace"]["trace_info"]
    assert row["state"] == "IN_PROGRESS"
    assert [span["name"] for span in blob(databricks, chat)] == ["chat"]


@pytest.mark.parametrize(
    "said",
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
def test_previews_are_those_of_mlflows_client(monkeypatch, said):
    """Its name is private, and this fails when it moves."""
    from mlflow.tracing.utils import truncation

    monkeypatch.setattr(truncation, "_get_max_length", lambda: 10_000)
    for role in ("user", "assistant"):
        document = json.dumps(said)
        theirs = truncation._get_truncated_preview(document, role)
        assert _previews.preview(document, role) == theirs


def test_sums_leave_out_what_a_parent_has_summed(databricks, spans):
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
    place = to()
    # As they are: the mapping gives what is odd another name.
    place.send(spans.take())
    place.close()
    row = databricks.sent(ROW)[0].body["trace"]["trace_info"]
    assert row["trace_metadata"]["mlflow.trace.tokenUsage"] == '{"total_tokens": 8}'
