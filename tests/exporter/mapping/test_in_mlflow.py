"""Each row of the mapping beside what MLflow makes of the same span without it."""

from __future__ import annotations

import json

import pytest
from inline_snapshot import snapshot
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, Status, StatusCode

from .sides import looks, made

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("result", ["[]", '""', "{}"])
def test_an_empty_result_is_one(sides, result):
    span = made({"gen_ai.tool.call.result": result})
    sides.export([span])
    mapped, plain = sides.both(span)
    assert (mapped.outputs, plain.outputs) == (json.loads(result), None)
    assert "gen_ai.tool.call.result" not in mapped.attributes


def test_a_type_can_be_searched_for(sides):
    spans = [made({"gen_ai.operation.name": "execute_tool"}) for _ in range(2)]
    sides.export(spans)
    assert len(sides.found(sides.mapped, "span.type = 'TOOL'")) == 2
    assert sides.found(sides.plain, "span.type = 'TOOL'") == []


def test_a_failure_without_an_exception_event_has_one(sides):
    """MLflow's page marks a span by it; util-genai of today writes none."""
    failed = Status(StatusCode.ERROR, "Error code: 404")
    span = made({"error.type": "openai.NotFoundError"}, status=failed)
    sides.export([span])
    mapped, plain = sides.both(span)
    assert [(event.name, event.attributes) for event in mapped.events] == [
        (
            "exception",
            {
                "exception.type": "openai.NotFoundError",
                "exception.message": "Error code: 404",
            },
        )
    ]
    assert plain.events == []
    assert mapped.status == plain.status


@pytest.mark.parametrize(
    "attributes",
    [
        {"http.request.method": "GET", "url.full": "https://shop.example/", "n": 2},
        {"db.system.name": "postgresql", "db.query.text": "SELECT 1"},
        {"app.anything": ("a", "b"), "app.flag": False},
    ],
)
def test_what_is_not_genai_is_kept_as_it_is(sides, attributes):
    root = made({})
    child = ReadableSpan(
        "child",
        SpanContext(root.context.trace_id, 8, is_remote=False),
        root.context,
        Resource({}),
        attributes,
        start_time=root.start_time,
        end_time=root.end_time,
    )
    sides.export([child, root])
    mapped, plain = sides.both(child)
    assert looks(mapped) == looks(plain) == (None, None, None)
    for name, value in attributes.items():
        kept = list(value) if isinstance(value, tuple) else value
        assert mapped.attributes[name] == plain.attributes[name] == kept


def test_scorers_find_what_a_retrieval_found(sides):
    from mlflow.genai.utils.trace_utils import (
        extract_retrieval_context_from_trace,
    )

    documents = [{"id": "d1", "score": 0.9, "content": "Paris is in France."}]
    span = made(
        {
            "gen_ai.operation.name": "retrieval",
            "gen_ai.retrieval.query.text": "Where is Paris?",
            "gen_ai.retrieval.documents": json.dumps(documents),
        }
    )
    sides.export([span])
    contents = [
        extract_retrieval_context_from_trace(sides.client.get_trace(f"tr-{trace:032x}"))
        for trace in (span.context.trace_id, span.context.trace_id ^ 1)
    ]
    assert contents == snapshot(
        [{"0000000000000007": [{"content": "Paris is in France."}]}, {}]
    )
