"""Whatever stands on a span: it arrives, can be read, and harms no other."""

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

from .malformed import CHANGED, CONTEXT

pytestmark = pytest.mark.e2e


def asked(content):
    return json.dumps(
        [{"role": "user", "parts": [{"type": "text", "content": content}]}]
    )


HARD = {
    **{name: {"a": value} for name, value in CHANGED.items()},
    "half a character in a name": {"a\ud800": 1},
    "half a character in a question": {"gen_ai.input.messages": asked("a\ud800b")},
    "NUL in a question": {"gen_ai.input.messages": asked("a\0b")},
    "half a character in inputs": {
        "mlflow.spanInputs": r'{"messages": [{"role": "user", "content": "\ud800"}]}'
    },
    "10 MB": {"a": "x" * 10_000_000},
    "a question of 10 MB": {"gen_ai.input.messages": asked("y" * 10_000_000)},
    "no JSON": {"gen_ai.input.messages": "{[", "gen_ai.tool.definitions": "[1"},
    "a long session": {"session.id": "s" * 300},
    "a long user": {"user.id": "u" * 9_000},
    "a long tag": {"mlflow.traceTag.t": "t" * 5_000},
    "a long type": {"mlflow.spanType": "T" * 600},
    "a long model": {"gen_ai.request.model": "m" * 5_000},
    "deep JSON": {"a": "[" * 5_000},
    "many digits": {"a": "1" * 5_000},
    "a list as operation": {"gen_ai.operation.name": ("chat",)},
    "JSON as operation": {"gen_ai.operation.name": "[1]"},
    "JSON as kind": {"openinference.span.kind": "{}"},
    "no cost": {"mlflow.llm.cost": "nonsense"},
    "no usage": {"mlflow.chat.tokenUsage": '{"input_tokens": "x"}'},
    "too many tokens": {
        "gen_ai.usage.input_tokens": 2**62,
        "gen_ai.usage.output_tokens": 2**62,
        "gen_ai.request.model": "m",
    },
}


TIMELESS = {
    "begins too late": (2**63, None),
    "ends too late": (None, 2**64),
    "ends too early": (None, -1),
    "begins too early": (-(2**70), None),
    "a fraction": (1.5e18, 1.5e18 + 1e9),
    "no number": (float("nan"), float("inf")),
}
BILLED = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "deepseek",
    "gen_ai.request.model": "deepseek-flash",
    "gen_ai.usage.input_tokens": 2,
    "gen_ai.usage.output_tokens": 1,
}


@pytest.fixture(scope="module")
def sent(mlflow_server):
    """All of it in one batch, between two spans with no trouble at all."""
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
    for name, attributes in {"first": {}, **HARD, "last": {}}.items():
        tracer.start_span(name, attributes=attributes).end()
    with tracer.start_as_current_span("an event") as one:
        one.add_event("e\ud800", {"a": float("nan"), "b": 2**70})
        one.add_link(CONTEXT, {"a": float("nan")})
        one.set_status(Status(StatusCode.ERROR, "d\ud800"))
    for name, (start, end) in TIMELESS.items():
        tracer.start_span(name, attributes=BILLED, start_time=start).end(end)
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
        lost=exporter.lost,
        ids={one.name: f"tr-{one.context.trace_id:032x}" for one in spans},
    )


def attributes(sent, name):
    return sent.client.get_trace(sent.ids[name]).data.spans[0].attributes


def test_nothing_sinks_its_batch(sent):
    found = sent.client.search_traces(locations=[sent.experiment], max_results=200)
    assert sent.lost == 0
    assert {trace.info.trace_id for trace in found} == set(sent.ids.values())


def test_the_page_can_read_all_of_it(sent):
    """By the addresses that MLflow's page asks, as strictly as a browser."""

    def strictly(constant):
        raise ValueError(constant)

    for trace in sent.ids.values():
        for path in (
            f"3.0/mlflow/get-trace-artifact?request_id={trace}",
            f"3.0/mlflow/traces/get?trace_id={trace}",
        ):
            with urllib.request.urlopen(f"{sent.uri}/ajax-api/{path}") as answer:
                assert json.load(answer, parse_constant=strictly)
    location = {
        "type": "MLFLOW_EXPERIMENT",
        "mlflow_experiment": {"experiment_id": sent.experiment},
    }
    request = urllib.request.Request(
        f"{sent.uri}/ajax-api/3.0/mlflow/traces/search",
        json.dumps({"locations": [location], "max_results": 200}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        found = json.load(answer, parse_constant=strictly)["traces"]
    assert {trace["trace_id"] for trace in found} == set(sent.ids.values())


@pytest.mark.parametrize(
    "name", sorted({*HARD, *TIMELESS} - {"no JSON", "a long model"})
)
def test_what_was_changed_is_marked(sent, name):
    assert attributes(sent, name)[SANITIZED] == IsList(length=(1, ...))


def test_what_is_no_conversation_is_shown_as_it_is_and_marked(sent):
    found = attributes(sent, "no JSON")
    assert found[UNPARSED] == ["gen_ai.input.messages", "gen_ai.tool.definitions"]
    assert found["mlflow.spanInputs"] == "{["


def test_a_long_session_is_one_session(sent):
    trace = sent.client.get_trace(sent.ids["a long session"])
    session = trace.info.trace_metadata["mlflow.trace.session"]
    assert session == IsStr(regex="s{233}-[0-9a-f]{16}")
    (found,) = sent.client.search_traces(
        locations=[sent.experiment],
        filter_string=f"metadata.`mlflow.trace.session` = '{session}'",
    )
    assert found.info.trace_id == trace.info.trace_id
