"""Spans with malformed values reach MLflow, and its pages can show them."""

from __future__ import annotations

import json
import urllib.request
import uuid
from types import SimpleNamespace

import pytest
from dirty_equals import IsList, IsStr
from opentelemetry.trace import Status, StatusCode

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.exporter.mlflow._mapping import UNPARSED
from opentelemetry.exporter.mlflow._sanitize import SANITIZED

from .malformed import CONTEXT, MALFORMED_VALUES

pytestmark = pytest.mark.e2e


def user_message(content):
    return json.dumps(
        [{"role": "user", "parts": [{"type": "text", "content": content}]}]
    )


MALFORMED_ATTRIBUTES = {
    **{name: {"a": value} for name, value in MALFORMED_VALUES.items()},
    "single surrogate in a name": {"a\ud800": 1},
    "single surrogate in a question": {
        "gen_ai.input.messages": user_message("a\ud800b")
    },
    "NUL in a question": {"gen_ai.input.messages": user_message("a\0b")},
    "single surrogate in inputs": {
        "mlflow.spanInputs": r'{"messages": [{"role": "user", "content": "\ud800"}]}'
    },
    "10 MB": {"a": "x" * 10_000_000},
    "question of 10 MB": {"gen_ai.input.messages": user_message("y" * 10_000_000)},
    "invalid JSON": {"gen_ai.input.messages": "{[", "gen_ai.tool.definitions": "[1"},
    "long session": {"session.id": "s" * 300},
    "long user": {"user.id": "u" * 9_000},
    "long tag": {"mlflow.traceTag.t": "t" * 5_000},
    "long span type": {"mlflow.spanType": "T" * 600},
    "long model": {"gen_ai.request.model": "m" * 5_000},
    "deep JSON": {"a": "[" * 5_000},
    "many digits": {"a": "1" * 5_000},
    "list as operation": {"gen_ai.operation.name": ("chat",)},
    "JSON list as operation": {"gen_ai.operation.name": "[1]"},
    "JSON object as span kind": {"openinference.span.kind": "{}"},
    "invalid cost": {"mlflow.llm.cost": "nonsense"},
    "invalid token usage": {"mlflow.chat.tokenUsage": '{"input_tokens": "x"}'},
    "large token counts": {
        "gen_ai.usage.input_tokens": 2**62,
        "gen_ai.usage.output_tokens": 2**62,
        "gen_ai.request.model": "m",
    },
}


INVALID_TIMES = {
    "late start": (2**63, None),
    "late end": (None, 2**64),
    "negative end": (None, -1),
    "negative start": (-(2**70), None),
    "float": (1.5e18, 1.5e18 + 1e9),
    "NaN and infinity": (float("nan"), float("inf")),
}
MODEL_CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "deepseek",
    "gen_ai.request.model": "deepseek-flash",
    "gen_ai.usage.input_tokens": 2,
    "gen_ai.usage.output_tokens": 1,
}


@pytest.fixture(scope="module")
def exported(mlflow_server):
    """All malformed spans in one batch, between two well-formed spans."""
    from mlflow import MlflowClient
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import (
        InMemorySpanExporter,
    )

    finished = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(finished))
    tracer = provider.get_tracer("test")
    for name, attributes in {"first": {}, **MALFORMED_ATTRIBUTES, "last": {}}.items():
        tracer.start_span(name, attributes=attributes).end()
    with tracer.start_as_current_span("malformed event") as span:
        span.add_event("e\ud800", {"a": float("nan"), "b": 2**70})
        span.add_link(CONTEXT, {"a": float("nan")})
        span.set_status(Status(StatusCode.ERROR, "d\ud800"))
    for name, (start, end) in INVALID_TIMES.items():
        tracer.start_span(name, attributes=MODEL_CALL, start_time=start).end(end)
    client = MlflowClient(mlflow_server)
    experiment = client.create_experiment(f"malformed {uuid.uuid4()}")
    exporter = MlflowSpanExporter(tracking_uri=mlflow_server, experiment_id=experiment)
    spans = finished.get_finished_spans()
    exporter.export(spans)
    exporter.shutdown()
    return SimpleNamespace(
        uri=mlflow_server,
        experiment=experiment,
        client=client,
        dropped_spans=exporter.dropped_spans,
        trace_ids={span.name: f"tr-{span.context.trace_id:032x}" for span in spans},
    )


def exported_attributes(exported, name):
    trace = exported.client.get_trace(exported.trace_ids[name])
    return trace.data.spans[0].attributes


def test_malformed_spans_do_not_drop_the_batch(exported):
    traces = exported.client.search_traces(
        locations=[exported.experiment], max_results=200
    )
    assert exported.dropped_spans == 0
    assert {trace.info.trace_id for trace in traces} == set(exported.trace_ids.values())


def test_requests_of_the_mlflow_page_return_strict_json(exported):
    """A browser refuses NaN and Infinity, which Python's parser accepts."""

    def refuse(constant):
        raise ValueError(constant)

    for trace_id in exported.trace_ids.values():
        for path in (
            f"3.0/mlflow/get-trace-artifact?request_id={trace_id}",
            f"3.0/mlflow/traces/get?trace_id={trace_id}",
        ):
            with urllib.request.urlopen(f"{exported.uri}/ajax-api/{path}") as response:
                assert json.load(response, parse_constant=refuse)
    location = {
        "type": "MLFLOW_EXPERIMENT",
        "mlflow_experiment": {"experiment_id": exported.experiment},
    }
    request = urllib.request.Request(
        f"{exported.uri}/ajax-api/3.0/mlflow/traces/search",
        json.dumps({"locations": [location], "max_results": 200}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        traces = json.load(response, parse_constant=refuse)["traces"]
    assert {trace["trace_id"] for trace in traces} == set(exported.trace_ids.values())


@pytest.mark.parametrize(
    "name",
    sorted({*MALFORMED_ATTRIBUTES, *INVALID_TIMES} - {"invalid JSON", "long model"}),
)
def test_sanitized_spans_are_marked(exported, name):
    assert exported_attributes(exported, name)[SANITIZED] == IsList(length=(1, ...))


def test_unparsed_messages_are_shown_unchanged_and_marked(exported):
    attributes = exported_attributes(exported, "invalid JSON")
    assert attributes[UNPARSED] == ["gen_ai.input.messages", "gen_ai.tool.definitions"]
    assert attributes["mlflow.spanInputs"] == "{["


def test_truncated_session_can_be_searched_for(exported):
    trace = exported.client.get_trace(exported.trace_ids["long session"])
    session = trace.info.trace_metadata["mlflow.trace.session"]
    assert session == IsStr(regex="s{233}-[0-9a-f]{16}")
    (result,) = exported.client.search_traces(
        locations=[exported.experiment],
        filter_string=f"metadata.`mlflow.trace.session` = '{session}'",
    )
    assert result.info.trace_id == trace.info.trace_id
