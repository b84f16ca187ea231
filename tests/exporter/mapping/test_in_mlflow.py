"""Spans with and without the mapping, as a real MLflow server returns them."""

from __future__ import annotations

import json

import pytest
from inline_snapshot import snapshot
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, Status, StatusCode

from .two_experiments import make_span, type_inputs_outputs, unmapped_trace_id

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("result", ["[]", '""', "{}"])
def test_empty_tool_result_is_shown(experiments, result):
    span = make_span({"gen_ai.tool.call.result": result})
    experiments.export([span])
    mapped, unmapped = experiments.read(span)
    assert (mapped.outputs, unmapped.outputs) == (json.loads(result), None)
    assert "gen_ai.tool.call.result" not in mapped.attributes


def test_traces_can_be_searched_by_span_type(experiments):
    spans = [make_span({"gen_ai.operation.name": "execute_tool"}) for _ in range(2)]
    experiments.export(spans)
    assert len(experiments.search(experiments.mapped, "span.type = 'TOOL'")) == 2
    assert experiments.search(experiments.unmapped, "span.type = 'TOOL'") == []


def test_failed_span_without_exception_event_gets_one(experiments):
    """MLflow's page marks failed spans by it. opentelemetry-util-genai adds none."""
    failed = Status(StatusCode.ERROR, "Error code: 404")
    span = make_span({"error.type": "openai.NotFoundError"}, status=failed)
    experiments.export([span])
    mapped, unmapped = experiments.read(span)
    assert [(event.name, event.attributes) for event in mapped.events] == [
        (
            "exception",
            {
                "exception.type": "openai.NotFoundError",
                "exception.message": "Error code: 404",
            },
        )
    ]
    assert unmapped.events == []
    assert mapped.status == unmapped.status


@pytest.mark.parametrize(
    "attributes",
    [
        {"http.request.method": "GET", "url.full": "https://shop.example/", "n": 2},
        {"db.system.name": "postgresql", "db.query.text": "SELECT 1"},
        {"app.anything": ("a", "b"), "app.flag": False},
    ],
)
def test_spans_of_other_conventions_are_unchanged(experiments, attributes):
    root = make_span({})
    child = ReadableSpan(
        "child",
        SpanContext(root.context.trace_id, 8, is_remote=False),
        root.context,
        Resource({}),
        attributes,
        start_time=root.start_time,
        end_time=root.end_time,
    )
    experiments.export([child, root])
    mapped, unmapped = experiments.read(child)
    assert type_inputs_outputs(mapped) == (None, None, None)
    assert type_inputs_outputs(unmapped) == (None, None, None)
    for name, value in attributes.items():
        stored = list(value) if isinstance(value, tuple) else value
        assert mapped.attributes[name] == unmapped.attributes[name] == stored


def test_scorers_can_read_retrieved_documents(experiments):
    from mlflow.genai.utils.trace_utils import (
        extract_retrieval_context_from_trace,
    )

    documents = [{"id": "d1", "score": 0.9, "content": "Paris is in France."}]
    span = make_span(
        {
            "gen_ai.operation.name": "retrieval",
            "gen_ai.retrieval.query.text": "Where is Paris?",
            "gen_ai.retrieval.documents": json.dumps(documents),
        }
    )
    experiments.export([span])
    contents = [
        extract_retrieval_context_from_trace(
            experiments.client.get_trace(f"tr-{trace_id:032x}")
        )
        for trace_id in (span.context.trace_id, unmapped_trace_id(span))
    ]
    assert contents == snapshot(
        [{"0000000000000007": [{"content": "Paris is in France."}]}, {}]
    )
