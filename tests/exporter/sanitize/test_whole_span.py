"""All of a span is made fit: names, events, links, status, resource and scope."""

from __future__ import annotations

import json

from hypothesis import example, given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, Status, StatusCode

from opentelemetry.exporter.mlflow._sanitize import SANITIZED, sanitize
from opentelemetry.exporter.mlflow._span_translator import SpanTranslator

from .malformed import CONTEXT, span


def test_a_failure_that_has_no_exception_event_has_one_in_mlflow():
    failed = span(
        {"error.type": "E"}, status=Status(StatusCode.ERROR, "why"), end_time=7
    )
    (event,) = SpanTranslator().said(failed).events
    assert (event.name, dict(event.attributes), event.timestamp) == (
        "exception",
        {"exception.type": "E", "exception.message": "why"},
        7,
    )
    recorded = Event("exception", {"exception.type": "F"}, 6)
    failed = span({}, status=Status(StatusCode.ERROR), events=[recorded])
    assert SpanTranslator().said(failed).events == [recorded]


def test_all_of_a_span_is_made_fit():
    bad = {"n\0": float("nan")}
    given = span(
        bad,
        name="a\0",
        resource=Resource(bad, "https://schema"),
        events=[Event("e\0", bad, 7), Event("e", {"a": 1}, 8)],
        links=[Link(CONTEXT, bad), Link(CONTEXT, {"a": 1})],
        status=Status(StatusCode.ERROR, "d\0"),
        instrumentation_scope=InstrumentationScope("s\0", "1"),
        start_time=1,
        end_time=2,
    )
    good = sanitize(given)
    clean = {"n␀": "nan"}
    assert good.name == "a␀"
    assert good.attributes == {**clean, SANITIZED: good.attributes[SANITIZED]}
    assert (good.resource.attributes, good.resource.schema_url) == (
        clean,
        "https://schema",
    )
    assert [(event.name, event.attributes) for event in good.events] == [
        ("e␀", clean),
        ("e", {"a": 1}),
    ]
    assert [link.attributes for link in good.links] == [clean, {"a": 1}]
    assert good.status.description == "d␀"
    assert good.instrumentation_scope is None
    assert (good.start_time, good.end_time, good.context) == (1, 2, CONTEXT)
    assert good.attributes[SANITIZED] == snapshot(
        (
            "the span's name: characters that MLflow cannot keep",
            "an attribute's name: characters that MLflow cannot keep",
            "n␀: a number beyond what MLflow keeps",
            "an event's name: characters that MLflow cannot keep",
            "the status: characters that MLflow cannot keep",
            "the scope's name: characters that MLflow cannot keep",
        )
    )


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**62, -(2**63) - 1, 2**70])
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.sampled_from(["[" * 300, "\ud83d", r"\ud800", r'"\u0000"', "{}", "1" * 4_400])
    | st.binary(),
    lambda inner: st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
names = st.text(st.characters(exclude_categories=()), min_size=1) | st.sampled_from(
    ["session.id", "gen_ai.operation.name", "mlflow.llm.cost", "llm.token_count.prompt"]
)


times = st.none() | st.integers() | st.floats() | st.sampled_from([2**63, 2**64, -1])


@given(st.dictionaries(names, anything), names, times)
@example({"session.id": "0" * 27 + "[" * 260}, "too long, and too deep when cut", 0)
def test_everything_can_be_sent_and_what_is_fit_stays_so(attributes, name, time):
    event = Event("e", None, time)
    good = sanitize(
        span(attributes, name=name, start_time=time, end_time=time, events=[event])
    )
    (of_resource,) = encode_spans([good]).resource_spans
    sent = of_resource.scope_spans[0].spans[0]
    # No name is lost but where two became one.
    assert len(sent.attributes) == len(good.attributes)
    assert json.dumps([dict(good.attributes)], allow_nan=False)
    assert sanitize(good) is good
