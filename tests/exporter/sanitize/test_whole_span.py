"""All parts of a span are sanitized: names, events, links, status, resource, scope."""

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

from .malformed import CONTEXT, make_span


def test_failed_span_without_exception_event_gets_one():
    failed = make_span(
        {"error.type": "E"}, status=Status(StatusCode.ERROR, "why"), end_time=7
    )
    (event,) = SpanTranslator().translate(failed).events
    assert (event.name, dict(event.attributes), event.timestamp) == (
        "exception",
        {"exception.type": "E", "exception.message": "why"},
        7,
    )
    recorded = Event("exception", {"exception.type": "F"}, 6)
    failed = make_span({}, status=Status(StatusCode.ERROR), events=[recorded])
    assert SpanTranslator().translate(failed).events == [recorded]


def test_all_parts_of_a_span_are_sanitized():
    malformed = {"n\0": float("nan")}
    span = make_span(
        malformed,
        name="a\0",
        resource=Resource(malformed, "https://schema"),
        events=[Event("e\0", malformed, 7), Event("e", {"a": 1}, 8)],
        links=[Link(CONTEXT, malformed), Link(CONTEXT, {"a": 1})],
        status=Status(StatusCode.ERROR, "d\0"),
        instrumentation_scope=InstrumentationScope("s\0", "1"),
        start_time=1,
        end_time=2,
    )
    sanitized = sanitize(span)
    clean = {"n␀": "nan"}
    assert sanitized.name == "a␀"
    assert sanitized.attributes == {**clean, SANITIZED: sanitized.attributes[SANITIZED]}
    assert (sanitized.resource.attributes, sanitized.resource.schema_url) == (
        clean,
        "https://schema",
    )
    assert [(event.name, event.attributes) for event in sanitized.events] == [
        ("e␀", clean),
        ("e", {"a": 1}),
    ]
    assert [link.attributes for link in sanitized.links] == [clean, {"a": 1}]
    assert sanitized.status.description == "d␀"
    assert sanitized.instrumentation_scope is None
    assert (sanitized.start_time, sanitized.end_time, sanitized.context) == (
        1,
        2,
        CONTEXT,
    )
    assert sanitized.attributes[SANITIZED] == snapshot(
        (
            "span name: characters that MLflow cannot store",
            "attribute name: characters that MLflow cannot store",
            "n␀: number that MLflow cannot store",
            "event name: characters that MLflow cannot store",
            "status description: characters that MLflow cannot store",
            "scope name: characters that MLflow cannot store",
        )
    )


attribute_values = st.recursive(
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


@given(st.dictionaries(names, attribute_values), names, times)
@example({"session.id": "0" * 27 + "[" * 260}, "too long, and too deep when cut", 0)
def test_sanitized_span_can_be_encoded_and_is_clean(attributes, name, time):
    event = Event("e", None, time)
    sanitized = sanitize(
        make_span(attributes, name=name, start_time=time, end_time=time, events=[event])
    )
    (resource_spans,) = encode_spans([sanitized]).resource_spans
    encoded = resource_spans.scope_spans[0].spans[0]
    # Two names may become the same one. No other attribute is lost.
    assert len(encoded.attributes) == len(sanitized.attributes)
    assert json.dumps([dict(sanitized.attributes)], allow_nan=False)
    assert sanitize(sanitized) is sanitized
