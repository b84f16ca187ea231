"""What we send is what MLflow's own client sends, each to a stand-in of its own.

No real workspace was asked.
"""

from __future__ import annotations

import json

import pytest
from dirty_equals import IsPartialDict

from tests.exporter.programs import run

from .fake import fake_databricks
from .received import INFO, OTLP, ROW, SPANS, typed

# One program, two senders: MLflow's client to its tracking URI, and our exporter, which
# gets the same spans with the same ids, to another workspace.
BOTH = """
import mlflow
from mlflow.entities import SpanType
from opentelemetry.exporter.mlflow import MlflowInstrumentor, MlflowSpanExporter
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
assert exporter.dropped_spans == 0
"""


# Where the program runs and who runs it: nothing that spans say.
NOT_OURS = ("mlflow.source.", "mlflow.user")


@pytest.fixture
def both(databricks, monkeypatch, tmp_path):
    """What MLflow's client has sent of a trace, and what we have sent of it."""

    def send(linked):
        with fake_databricks() as ours:
            ours.linked = databricks.linked = linked
            (tmp_path / ".databrickscfg").write_text(
                f"[ours]\nhost = {ours.uri}\ntoken = dapi-pat\n"
                f"[theirs]\nhost = {databricks.uri}\ntoken = dapi-pat\n"
            )
            # They would go before a profile.
            monkeypatch.delenv("DATABRICKS_HOST")
            monkeypatch.delenv("DATABRICKS_TOKEN")
            run(BOTH, HOME=str(tmp_path), MLFLOW_DISABLE_TELEMETRY="true")
            return databricks, ours

    return send


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
