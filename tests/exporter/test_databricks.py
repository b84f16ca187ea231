"""Databricks, by a stand-in: what we send is what MLflow's own client sends.

No real workspace was asked.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from contextlib import suppress

import pytest
from dirty_equals import IsPartialDict
from inline_snapshot import snapshot
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.exporter.mlflow._destination import (
    UndeliveredError,
    _experiment_traces,
    _trace_row,
    destination,
)
from opentelemetry.exporter.mlflow._root import Roots

from .conftest import serving
from .fake_databricks import (
    EXPERIMENT,
    EXPERIMENT_ID,
    Answered,
    error,
    fake_databricks,
    said,
)

SPANS = "/blob/"
ROW = r"^/api/3.0/mlflow/traces$"
INFO = r"^/api/4.0/mlflow/traces/.*/info$"
OTLP = r"^/api/2.0/otel/v1/traces$"
KINDS = [
    "AWS_PRESIGNED_URL",
    "GCP_SIGNED_URL",
    "AZURE_SAS_URI",
    "AZURE_ADLS_GEN2_SAS_URI",
]


@pytest.fixture
def databricks(monkeypatch):
    for name in list(os.environ):
        if name.startswith("DATABRICKS_"):
            monkeypatch.delenv(name)
    with fake_databricks() as fake:
        monkeypatch.setenv("DATABRICKS_HOST", fake.uri)
        monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-pat")
        yield fake


def to(uri="databricks", **given):
    given = given or {"experiment_name": EXPERIMENT}
    return destination(
        tracking_uri=uri,
        experiment_id=given.get("experiment_id"),
        experiment_name=given.get("experiment_name"),
        timeout=5,
    )


def mapped(spans):
    return Roots(promote_remote=True).mapped(spans)


def refused(place, spans):
    with pytest.raises(UndeliveredError) as caught:
        place.send(spans)
    return caught.value


def blob(fake, span):
    path = f"/blob/tr-{span.context.trace_id:032x}/traces.json"
    return json.loads(fake.blobs[path])["spans"]


CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "deepseek",
    "gen_ai.request.model": "deepseek-chat",
    "gen_ai.response.model": "deepseek-v4-flash",
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 3,
    "gen_ai.usage.cache_read.input_tokens": 4,
    "gen_ai.input.messages": json.dumps(
        [{"role": "user", "parts": [{"type": "text", "content": "Wie heißt 🐘?"}]}]
    ),
    "gen_ai.output.messages": json.dumps(
        [
            {
                "role": "assistant",
                "parts": [{"type": "text", "content": "Elefant."}],
                "finish_reason": "stop",
            }
        ]
    ),
    "mlflow.llm.cost": json.dumps(
        {"input_cost": 1e-06, "output_cost": 2e-06, "total_cost": 3e-06}
    ),
}


def agent(spans):
    """A chat call and a tool call beneath a web request; the root comes last."""
    with spans.tracer.start_as_current_span(
        "POST /ask", attributes={"session.id": "s-1", "user.id": "ann"}
    ):
        with spans.tracer.start_as_current_span("chat", attributes=CHAT):
            pass
        with spans.tracer.start_as_current_span(
            "execute_tool weather",
            attributes={
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.call.arguments": '{"city": "P"}',
                "gen_ai.tool.call.result": '{"t": 21}',
            },
        ) as tool:
            tool.add_event("seen", {"a": 1})
    return spans.take()


# --- beside MLflow's own client

# One program, two senders: MLflow's client to its tracking URI, and our exporter, which
# gets the same spans with the same ids, to another workspace.
BOTH = """
import mlflow
from mlflow.entities import SpanType
from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.exporter.mlflow._one_tree._instrumentor import MlflowInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider(resource=Resource.get_empty())
exporter = MlflowSpanExporter(
    tracking_uri="databricks://ours", experiment_name="/Shared/deepseek-demo"
)
provider.add_span_processor(BatchSpanProcessor(exporter))
MlflowInstrumentor().instrument(tracer_provider=provider)

mlflow.set_tracking_uri("databricks://theirs")
mlflow.set_experiment("/Shared/deepseek-demo")


@mlflow.trace(span_type=SpanType.TOOL)
def weather(city):
    if city == "Nowhere":
        raise LookupError("no such city: ü")
    return {"t": 21, "city": city}


@mlflow.trace(span_type=SpanType.AGENT)
def ask(question):
    with mlflow.start_span("chat", span_type=SpanType.CHAT_MODEL) as span:
        span.set_inputs(
            {"messages": [{"role": "user", "content": question}], "model": "m"}
        )
        span.set_outputs(
            {"choices": [{"message": {"role": "assistant", "content": "21 °C"}}]}
        )
        usage = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
        usage["cache_read_input_tokens"] = 1
        span.set_attribute("mlflow.chat.tokenUsage", usage)
        span.set_attributes({"number": 1, "text": "x", "list": [1, 2], "map": {"a": 1}})
    weather("Paris")
    try:
        weather("Nowhere")
    except LookupError:
        pass
    return "In Paris it is 21 °C. " + "Really. " * 60


ask("How warm is it?")
mlflow.flush_trace_async_logging()
provider.shutdown()
assert exporter.lost == 0
"""

# Where the program runs and who runs it: nothing that spans say.
NOT_OURS = ("mlflow.source.", "mlflow.user")


@pytest.fixture
def both(databricks, monkeypatch, tmp_path):
    """What MLflow's client has sent of a trace, and what we have sent of it."""

    def run(linked):
        with fake_databricks() as ours:
            ours.linked = databricks.linked = linked
            (tmp_path / ".databrickscfg").write_text(
                f"[ours]\nhost = {ours.uri}\ntoken = dapi-pat\n"
                f"[theirs]\nhost = {databricks.uri}\ntoken = dapi-pat\n"
            )
            # They would go before a profile.
            monkeypatch.delenv("DATABRICKS_HOST")
            monkeypatch.delenv("DATABRICKS_TOKEN")
            ended = subprocess.run(
                [sys.executable, "-c", BOTH],
                env=os.environ
                | {"HOME": str(tmp_path), "MLFLOW_DISABLE_TELEMETRY": "true"},
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
            assert ended.returncode == 0, ended.stderr
            return databricks, ours

    return run


def one_row(fake, path):
    (request,) = fake.sent(path)
    row = request.body["trace"]["trace_info"] if path == ROW else request.body
    metadata = row["trace_metadata"]
    kept = {k: v for k, v in metadata.items() if not k.startswith(NOT_OURS)}
    # The row itself counts, and it has what is not ours.
    assert int(kept.pop("mlflow.trace.sizeBytes")) > 1_000
    kept["mlflow.trace.sizeStats"] = json.loads(kept["mlflow.trace.sizeStats"])
    assert kept["mlflow.trace.sizeStats"].pop("total_size_bytes") > 1_000
    return row | {"trace_metadata": kept}


def test_an_experiment_gets_what_mlflows_client_sends(both):
    theirs, ours = both(None)
    assert one_row(ours, ROW) == one_row(theirs, ROW)
    assert one_row(ours, ROW)["trace_metadata"] == IsPartialDict(
        {
            "mlflow.trace.tokenUsage": '{"input_tokens": 3, "output_tokens": 2, '
            '"total_tokens": 5, "cache_read_input_tokens": 1}'
        }
    )
    assert ours.blobs.keys() == theirs.blobs.keys()
    (mine,), (other,) = ours.blobs.values(), theirs.blobs.values()
    assert json.loads(mine) == json.loads(other)
    assert len(json.loads(mine)["spans"]) == 4
    for fake in (ours, theirs):
        assert fake.sent(ROW)[0].headers["content-type"] == "application/json"
        assert [sent.method for sent in fake.sent(SPANS)] == ["PUT"]


def in_tables(fake):
    return [
        span
        for request in fake.sent(OTLP)
        for of_resource in request.body["resource_spans"]
        for of_scope in of_resource["scope_spans"]
        for span in of_scope["spans"]
    ]


def typed(fake):
    """The spans of all requests, by their id."""
    return {
        span["span_id"]: span
        | {"attributes": {a["key"]: a["value"] for a in span["attributes"]}}
        for span in in_tables(fake)
    }


def test_linked_tables_get_what_mlflows_client_sends(both):
    theirs, ours = both("main.agents.ds")
    assert one_row(ours, INFO) == one_row(theirs, INFO)
    mine, other = typed(ours), typed(theirs)
    assert len(mine) == 4
    for span in mine.values():
        # MLflow's client loses them.
        assert span.pop("kind") == "SPAN_KIND_INTERNAL"
        assert span.pop("flags", 256) in (256, 257)
    assert mine == other
    for fake in (ours, theirs):
        headers = fake.sent(OTLP)[0].headers
        assert headers["x-databricks-uc-table-name"] == "main.agents.ds_otel_spans"
        assert headers["content-type"] == "application/x-protobuf"
        assert fake.sent(ROW) == fake.sent(SPANS) == []


# --- read by MLflow's client


TOGETHER = """
import mlflow
from opentelemetry.exporter.mlflow import MlflowInstrumentor, MlflowSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
exporter = MlflowSpanExporter(experiment_name="/Shared/deepseek-demo")
provider.add_span_processor(BatchSpanProcessor(exporter))
MlflowInstrumentor().instrument(tracer_provider=provider)
mlflow.set_tracking_uri("databricks")
mlflow.set_experiment("/Shared/deepseek-demo")
tracer = provider.get_tracer("app")

with tracer.start_as_current_span("POST /ask"):
    with mlflow.start_span("agent"):
        mlflow.update_current_trace(tags={"desk": "north"})
        with tracer.start_as_current_span("chat"):
            pass
        with mlflow.start_span("tool"):
            pass
for flush in (provider.force_flush, mlflow.flush_trace_async_logging)[::ORDER]:
    flush()
assert exporter.lost == 0
"""


@pytest.mark.parametrize(
    ("linked", "order"),
    [(None, 1), (None, -1), ("main.agents.ds", 1)],
    ids=["ours first", "theirs first", "tables"],
)
def test_beside_mlflows_client_a_trace_is_whole_and_stands_there_once(
    databricks, linked, order
):
    databricks.linked = linked
    ended = subprocess.run(
        [sys.executable, "-c", TOGETHER.replace("ORDER", str(order))],
        env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    if linked:
        names = [span["name"] for span in in_tables(databricks)]
    else:
        (content,) = databricks.blobs.values()
        names = [span["name"] for span in json.loads(content)["spans"]]
        rows = [sent.body["trace"]["trace_info"] for sent in databricks.sent(ROW)]
        assert {row["tags"].get("desk") for row in rows} >= {"north"}
    assert sorted(names) == ["POST /ask", "agent", "chat", "tool"]


@pytest.mark.parametrize("kind", KINDS)
def test_mlflow_reads_what_was_sent(databricks, monkeypatch, spans, kind):
    import mlflow

    databricks.kind = kind
    exporter = MlflowSpanExporter(tracking_uri="databricks", experiment_name=EXPERIMENT)
    ended = agent(spans)
    exporter.export(ended)
    exporter.shutdown()
    assert exporter.lost == 0
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "databricks")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", EXPERIMENT_ID)
    trace = mlflow.get_trace(f"tr-{ended[-1].context.trace_id:032x}")
    assert trace.info.state.value == "OK"
    assert trace.info.request_preview == "Wie heißt 🐘?"
    assert trace.info.response_preview == "Elefant."
    assert trace.info.tags["mlflow.traceName"] == "POST /ask"
    assert trace.info.trace_metadata["mlflow.trace.session"] == "s-1"
    assert trace.info.trace_metadata["mlflow.trace.user"] == "ann"
    assert trace.info.token_usage == {
        "input_tokens": 12,
        "output_tokens": 3,
        "total_tokens": 15,
        "cache_read_input_tokens": 4,
    }
    assert trace.info.cost["total_cost"] == 3e-06
    root, chat, tool = trace.data.spans
    assert [span.span_type for span in trace.data.spans] == [
        "CHAIN",
        "CHAT_MODEL",
        "TOOL",
    ]
    assert chat.inputs["messages"] == [{"role": "user", "content": "Wie heißt 🐘?"}]
    assert chat.outputs["choices"][0]["message"]["content"] == "Elefant."
    assert chat.model_name == "deepseek-v4-flash"
    assert chat.attributes["mlflow.llm.provider"] == "deepseek"
    assert (tool.inputs, tool.outputs) == ({"city": "P"}, {"t": 21})
    assert tool.parent_id == chat.parent_id == root.span_id
    assert [event.name for event in tool.events] == ["seen"]


def test_what_mlflows_server_reads_of_a_span_is_read_here(spans):
    """MLflow's own translation is the oracle; its name is private, and this fails
    when it moves."""
    from mlflow.entities import Span
    from mlflow.tracing.otel.translation import translate_span_when_storing
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    from opentelemetry.exporter.mlflow._destination._whole_trace import nodes

    for span in mapped(agent(spans)):
        (of_resource,) = encode_spans([span]).resource_spans
        theirs = Span.from_otel_proto(of_resource.scope_spans[0].spans[0])
        expected = {
            name: json.loads(text)
            for name, text in translate_span_when_storing(theirs)["attributes"].items()
            if not name.startswith("mlflow.traceTag.")
        }
        (node,) = nodes([span], expected["mlflow.traceRequestId"])
        assert node.values == {"mlflow.spanType": "UNKNOWN"} | expected


# --- what else a trace may be


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


def test_what_ends_after_its_root_is_added(databricks, spans):
    *children, root = mapped(agent(spans))
    place = to()
    place.send([children[0], root])
    place.send([children[1]])
    place.send([children[1]])  # twice is once
    place.close()
    assert [span["name"] for span in blob(databricks, root)] == [
        "POST /ask",
        "chat",
        "execute_tool weather",
    ]
    assert len(databricks.sent(ROW)) == 1


def test_a_trace_whose_root_never_came_is_in_progress(databricks, spans):
    chat, *_ = mapped(agent(spans))
    place = to()
    place.send([chat])
    place.close()
    row = databricks.sent(ROW)[0].body["trace"]["trace_info"]
    assert row["state"] == "IN_PROGRESS"
    assert [span["name"] for span in blob(databricks, chat)] == ["chat"]


def test_the_row_of_linked_tables_goes_with_the_root_alone(databricks, spans):
    databricks.linked = "main.agents.ds"
    *children, root = mapped(agent(spans))
    place = to()
    place.send([*children, root])
    place.send([children[0]])
    place.close()
    assert [len(databricks.sent(path)) for path in (OTLP, INFO)] == [2, 1]


def test_several_traces_may_come_at_once(databricks, spans):
    ended = [spans.made("a"), spans.made("b")]
    place = to()
    place.send(mapped(ended))
    place.close()
    assert len(databricks.traces) == len(databricks.blobs) == 2


def test_a_link_of_two_parts_is_not_followed(databricks, spans):
    """As MLflow's client has it, unless the application says so."""
    databricks.linked = "main.agents"
    place = to()
    place.send(mapped([spans.made()]))
    place.close()
    assert len(databricks.sent(ROW)) == 1


def test_what_is_late_is_stored_though_the_rest_is_gone(databricks, spans):
    *children, root = mapped(agent(spans))
    place = to()
    place.send([root])
    databricks.blobs.clear()
    place.send(children)
    place.close()
    assert len(blob(databricks, root)) == 2


def test_only_so_many_traces_are_remembered(databricks, monkeypatch, spans):
    monkeypatch.setattr(_experiment_traces, "_MOST_TRACES", 1)
    place = to()
    first, second = [spans.made("a")], [spans.made("b")]
    for ended in (first, second, second, first):
        place.send(mapped(ended))
    place.close()
    assert len(databricks.sent(ROW)) == 3


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
        assert _trace_row._preview(document, role) == theirs


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


def test_odd_values_reach_tables(databricks, spans):
    databricks.linked = "main.agents.ds"
    odd = {"big": 2**70, "none": None, "list": [1, "a", None], "nan": float("nan")}
    span = spans.made("s", {"mlflow.spanInputs": json.dumps(odd), "text": "{oops"})
    place = to()
    place.send(mapped([span]))
    place.close()
    (sent,) = typed(databricks).values()
    given = sent["attributes"]["mlflow.spanInputs"]["kvlist_value"]["values"]
    assert {one["key"]: one["value"] for one in given} == {
        "big": {"string_value": str(2**70)},
        "none": {},
        "list": {
            "array_value": {"values": [{"int_value": "1"}, {"string_value": "a"}, {}]}
        },
        "nan": {"double_value": "NaN"},
    }
    assert sent["attributes"]["text"] == {"string_value": "{oops"}


# --- through the exporter, whose batches are no traces


@pytest.fixture
def exporter(databricks):
    exporter = MlflowSpanExporter(tracking_uri="databricks", experiment_name=EXPERIMENT)
    yield exporter
    exporter.shutdown()


def rows(fake):
    return {
        sent.body["trace"]["trace_info"]["tags"]["mlflow.traceName"]: sent.body[
            "trace"
        ]["trace_info"]["state"]
        for sent in fake.sent(ROW)
    }


def test_a_trace_waits_for_its_root(databricks, exporter, spans):
    first, second = agent(spans), agent(spans)
    # Of two at once, span by span.
    for pair in zip(first[:-1], second[:-1], strict=True):
        exporter.export(pair)
    assert exporter.force_flush()
    assert databricks.sent(ROW) == []
    exporter.export([first[-1], second[-1]])
    assert len(databricks.sent(ROW)) == 2
    for ended in (first, second):
        assert [span["name"] for span in blob(databricks, ended[-1])] == [
            "POST /ask",
            "chat",
            "execute_tool weather",
        ]
    row = databricks.sent(ROW)[0].body["trace"]["trace_info"]
    assert row["request_preview"] == "Wie heißt 🐘?"
    assert '"total_tokens": 15' in row["trace_metadata"]["mlflow.trace.tokenUsage"]


def test_a_root_below_another_process_is_one(databricks, exporter, spans):
    remote = SpanContext(5, 6, is_remote=True, trace_flags=TraceFlags(1))
    context = set_span_in_context(NonRecordingSpan(remote))
    with (
        spans.tracer.start_as_current_span("served", context),
        spans.tracer.start_as_current_span("inner"),
    ):
        pass
    for span in spans.take():
        exporter.export([span])
    assert rows(databricks) == {"served": "OK"}
    assert len(databricks.sent(SPANS, "PUT")) == 1


def test_what_ends_after_its_root_does_not_wait(databricks, exporter, spans):
    *children, root = agent(spans)
    for span in (children[0], root, children[1]):
        exporter.export([span])
    assert len(blob(databricks, root)) == 3
    assert rows(databricks) == {"POST /ask": "OK"}


def test_the_end_of_the_program_sends_what_waits(databricks, exporter, spans):
    *children, root = agent(spans)
    exporter.export(children)
    assert databricks.sent(ROW) == []
    exporter.shutdown()
    assert rows(databricks) == {"chat": "IN_PROGRESS"}
    assert len(blob(databricks, root)) == 2
    assert exporter.lost == 0


def test_one_trace_that_is_refused_is_lost_alone(databricks, exporter, spans):
    ended = [spans.made("a"), spans.made("b"), spans.made("c")]
    name = f"tr-{ended[1].context.trace_id:032x}"
    databricks.fail[f"/blob/{name}"] = Answered(403)
    exporter.export(ended[:1])
    exporter.export(ended[1:2])
    exporter.export(ended[2:])
    assert exporter.lost == 1
    assert len(databricks.blobs) == 2


# --- the experiment


@pytest.mark.parametrize("name", ["/Shared/new", "/Workspace/Shared/new"])
def test_a_missing_experiment_is_created(databricks, spans, name):
    place = to(experiment_name=name)
    place.send(mapped([spans.made()]))
    place.send(mapped([spans.made()]))
    place.close()
    (created,) = databricks.sent("/create$")
    assert created.body == {"name": "/Shared/new"}
    assert len(databricks.sent("/experiments/")) == 3


def test_an_experiment_may_be_named_by_its_id(databricks, spans):
    place = to(experiment_id=EXPERIMENT_ID)
    place.send(mapped([spans.made()]))
    place.close()
    assert [sent.path for sent in databricks.sent("/experiments/")] == [
        "/api/2.0/mlflow/experiments/get"
    ]
    assert len(databricks.traces) == 1


@pytest.mark.parametrize(
    ("given", "cause", "advice"),
    [
        ({"experiment_id": 7}, "(RESOURCE_DOES_NOT_EXIST)", "MLFLOW_EXPERIMENT_ID"),
        ({"experiment_id": 0}, "has no default experiment", "/Shared/agents"),
        ({"experiment_name": "/Shared/old"}, "'/Shared/old' is deleted", "Restore"),
        ({"experiment_name": "/No/x"}, "(INVALID_PARAMETER_VALUE)", "the folder"),
    ],
)
def test_an_experiment_that_cannot_be_used_is_said(
    databricks, spans, given, cause, advice
):
    databricks.add("/Shared/old", "9")
    databricks.experiments["9"]["lifecycle_stage"] = "deleted"
    place = to(**given)
    if given.get("experiment_name") == "/No/x":
        refusal = error(400, "INVALID_PARAMETER_VALUE")
        databricks.fail["/experiments/create$"] = refusal
    why = refused(place, mapped([spans.made()]))
    assert cause in why.cause
    assert advice in why.advice
    assert databricks.traces == {}


def test_nobody_may_have_named_an_experiment(databricks, spans):
    place = destination(
        tracking_uri="databricks",
        experiment_id=None,
        experiment_name=None,
        timeout=None,
    )
    why = refused(place, mapped([spans.made()]))
    assert why.cause == "a Databricks workspace has no default experiment"


def test_others_may_be_faster_to_create_it(databricks, spans):
    path = "/experiments/create$"
    databricks.fail[path] = error(400, "RESOURCE_ALREADY_EXISTS")
    place = to(experiment_name="/Shared/new")
    why = refused(place, mapped([spans.made()]))
    assert "is deleted" in why.cause  # it is not there either
    databricks.add("/Shared/new", "9")
    place.send(mapped([spans.made()]))
    assert [i["trace_location"] for i in databricks.traces.values()] == [
        {
            "type": "MLFLOW_EXPERIMENT",
            "mlflow_experiment": {"experiment_id": "9"},
        }
    ]


# --- settings


@pytest.mark.parametrize(
    ("uri", "name", "objection"),
    [
        ("databricks", "agents", "the path of an experiment in the Databricks work"),
        ("databricks://scope:prefix", EXPERIMENT, "databricks://profile"),
        ("databricks:/p", EXPERIMENT, "databricks://profile"),
        ("databricks-uc", EXPERIMENT, "databricks://profile"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_once(uri, name, objection):
    with pytest.raises(ValueError, match=objection):
        to(uri, experiment_name=name)


@pytest.mark.parametrize("missing", ["databricks", "databricks.sdk"])
def test_the_package_it_takes_is_named(monkeypatch, missing):
    monkeypatch.delitem(sys.modules, "databricks.sdk", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=r"\[databricks\]"):
        to()


def test_nothing_is_asked_before_the_first_export(databricks):
    place = to()
    place.after_fork()
    place.close()
    assert place.address == "databricks"
    assert place.wants_whole_traces is True
    assert databricks.requests == []


# --- who we are


def test_a_profile_is_another_workspace(databricks, monkeypatch, spans, tmp_path):
    with fake_databricks() as other:
        other.tokens = {"theirs"}
        config = tmp_path / "databrickscfg"
        config.write_text(f"[b]\nhost = {other.uri}\ntoken = theirs\n")
        monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(config))
        monkeypatch.delenv("DATABRICKS_HOST")
        monkeypatch.delenv("DATABRICKS_TOKEN")
        place = to("databricks://b")
        place.send(mapped([spans.made()]))
        place.close()
        assert len(other.blobs) == 1
    assert databricks.requests == []


def test_a_service_principal_signs_in(databricks, monkeypatch, spans):
    monkeypatch.delenv("DATABRICKS_TOKEN")
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "id")
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", "secret")
    databricks.tokens.clear()
    place = to()
    place.send(mapped([spans.made()]))
    place.send(mapped([spans.made()]))
    place.close()
    assert len(databricks.blobs) == 2
    assert len(databricks.sent("/oidc/v1/token")) == 1


def test_without_credentials_it_is_said_how_to_get_some(databricks, monkeypatch, spans):
    monkeypatch.delenv("DATABRICKS_TOKEN")
    place = to()
    why = refused(place, mapped([spans.made()]))
    assert why.cause.startswith("databricks-sdk finds no credentials (profile ")
    assert "databricks auth login" in why.advice
    assert databricks.traces == {}
    # And it may be put right while the program runs.
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-pat")
    place.send(mapped([spans.made()]))
    assert len(databricks.traces) == 1


def test_a_sign_in_that_fails_later_is_said(databricks, monkeypatch, spans):
    databricks.linked = "main.agents.ds"
    place = to()
    place.send(mapped([spans.made()]))
    config = place._inner._workspace._config

    def authenticate():
        raise ValueError("no refresh: a secret")

    monkeypatch.setattr(config, "authenticate", authenticate)
    why = refused(place, mapped([spans.made()]))
    place.close()
    assert why.cause.startswith("databricks-sdk finds no credentials")
    assert "secret" not in why.cause + why.advice


def test_another_token_is_refused_and_not_shown(databricks, monkeypatch, spans):
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-wrong")
    why = refused(to(), mapped([spans.made()]))
    assert why.cause == "the workspace refuses (PERMISSION_DENIED)"
    assert "databricks auth login" in why.advice
    assert "dapi-wrong" not in str(why.__cause__) + why.cause + why.advice


def test_nobody_elses_headers_go_there_and_no_token_elsewhere(
    databricks, monkeypatch, spans, tmp_path
):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login them password theirs")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=theirs")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-api-key=theirs")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "anothers")
    for linked in (None, "main.agents.ds"):
        databricks.linked = linked
        place = to()
        # The stand-in refuses any credential but the workspace's own at its paths,
        # and any at all at the storage's.
        place.send(mapped([spans.made()]))
        place.close()
    assert not any("x-api-key" in sent.headers for sent in databricks.requests)
    assert len(databricks.blobs) == 1
    assert len(databricks.sent(OTLP)) == 1


@pytest.mark.parametrize("path", [ROW, SPANS, OTLP, INFO])
def test_a_redirect_gets_no_token(databricks, spans, path):
    if path in (OTLP, INFO):
        databricks.linked = "main.agents.ds"
    with serving() as elsewhere:
        databricks.fail[path] = Answered(
            307, headers={"Location": f"{elsewhere.uri}/x"}
        )
        place = to()
        if path in (SPANS, OTLP):
            assert "307" in refused(place, mapped([spans.made()])).cause
            assert elsewhere.requests == []
        else:
            # databricks-sdk follows, and leaves its token behind.
            with suppress(UndeliveredError):
                place.send(mapped([spans.made()]))
            (request,) = elsewhere.requests
            assert "authorization" not in request.headers
        place.close()


# --- when it does not work


@pytest.mark.parametrize("kind", KINDS)
def test_a_storage_out_of_reach_is_told_from_a_workspace(databricks, spans, kind):
    databricks.kind = kind
    databricks.fail[SPANS] = Answered(403)
    place = to()
    why = refused(place, mapped([spans.made()]))
    assert why.cause == (
        "the traces are listed, but their spans cannot be stored (403)"
    )
    assert "cloud storage" in why.advice
    assert not why.divisible


def test_a_storage_that_is_not_there_is_said_without_its_address(databricks, spans):
    credential = {
        "type": "AWS_PRESIGNED_URL",
        "signed_uri": "http://127.0.0.1:9/b?sig=s3cr3t",
    }
    databricks.fail["credentials-for"] = said({"credential_info": credential})
    why = refused(to(), mapped([spans.made()]))
    assert why.cause == (
        "the traces are listed, but their spans cannot be stored (ConnectionError)"
    )
    assert "s3cr3t" not in f"{why.__cause__}{why.__context__ and ''}"


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (error(500, "INTERNAL_ERROR"), "the workspace refuses (INTERNAL_ERROR)"),
        (error(429, "REQUEST_LIMIT_EXCEEDED"), "the workspace does not answer (Time"),
    ],
)
def test_a_workspace_in_trouble_costs_seconds_not_minutes(
    databricks, monkeypatch, spans, answer, cause
):
    from opentelemetry.exporter.mlflow._destination import _workspace

    monkeypatch.setattr(_workspace, "_PATIENCE_SECONDS", 2)
    databricks.fail[ROW] = answer
    began = time.monotonic()
    assert refused(to(), mapped([spans.made()])).cause.startswith(cause)
    assert time.monotonic() - began < 8


def test_nobody_there_is_said(databricks, monkeypatch, spans):
    from opentelemetry.exporter.mlflow._destination import _workspace

    monkeypatch.setattr(_workspace, "_PATIENCE_SECONDS", 1)
    monkeypatch.setenv("DATABRICKS_HOST", "http://127.0.0.1:9")
    why = refused(to(), mapped([spans.made()]))
    assert why.cause.startswith("the workspace does not answer (")


@pytest.mark.parametrize(("status", "divisible"), [(400, True), (403, False)])
def test_a_table_that_does_not_take_them_is_named(databricks, spans, status, divisible):
    databricks.linked = "main.agents.ds"
    databricks.fail[OTLP] = Answered(status)
    why = refused(to(), mapped([spans.made()]))
    assert why.cause == (
        f"the table main.agents.ds_otel_spans does not take them ({status})"
    )
    assert "MODIFY" in why.advice
    assert why.divisible is divisible


# --- the process it runs in

SHORT = """
import sys
from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
provider = TracerProvider()
exporter = MlflowSpanExporter()
assert "databricks.sdk" not in sys.modules
provider.add_span_processor(BatchSpanProcessor(exporter))
provider.get_tracer("t").start_span("short").end()
{then}
"""


@pytest.mark.parametrize("linked", [None, "main.agents.ds"])
@pytest.mark.parametrize(
    ("then", "stored"),
    [
        ("", 1),  # the SDK's own call at exit
        (
            """
            provider.force_flush()
            assert "mlflow" not in sys.modules
            """,
            1,
        ),
        (
            """
            import os
            provider.force_flush()
            pid = os.fork()
            provider.get_tracer("t").start_span("both").end()
            provider.force_flush()
            assert not exporter.lost
            if not pid: os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0
            """,
            3,
        ),
    ],
)
def test_a_short_program_and_a_fork(databricks, linked, then, stored):
    databricks.linked = linked
    ended = subprocess.run(
        [sys.executable, "-c", SHORT.format(then=textwrap.dedent(then))],
        env=os.environ
        | {
            "MLFLOW_TRACKING_URI": "databricks",
            "MLFLOW_EXPERIMENT_NAME": EXPERIMENT,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    assert "do not reach" not in ended.stderr
    assert len(databricks.rows if linked else databricks.blobs) == stored


def test_the_log_says_where_to(databricks, spans, caplog):
    caplog.set_level("INFO", "opentelemetry.exporter.mlflow")
    place = to()
    place.send(mapped([spans.made()]))
    place.close()
    assert [
        record.getMessage()
        for record in caplog.records
        if record.name == "opentelemetry.exporter.mlflow"
    ] == snapshot(
        [
            (
                "Spans go to MLflow at databricks (the argument tracking_uri), into "
                "the experiment '/Shared/deepseek-demo' (the argument experiment_name)"
            )
        ]
    )
