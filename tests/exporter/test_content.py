"""Message content that MLflow gets, and nobody else."""

from __future__ import annotations

import gc
import gzip
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass
from importlib.metadata import entry_points

import openai
import pytest
from dirty_equals import IsPartialDict
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, Decision, StaticSampler
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
)
from opentelemetry.util.genai.completion_hook import load_completion_hook
from opentelemetry.util.genai.handler import TelemetryHandler
from opentelemetry.util.genai.types import (
    BlobPart,
    FunctionToolDefinition,
    InputMessage,
    OutputMessage,
    ReasoningPart,
    TextPart,
    ToolCallRequestPart,
)

from examples.simulator import Simulator
from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.exporter.mlflow._content import _held
from opentelemetry.exporter.mlflow._content._held import HeldContent, Joining, held
from opentelemetry.exporter.mlflow._content._hook import MlflowCompletionHook
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

HOOK = "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK"
NEXT = "OTEL_EXPORTER_MLFLOW_NEXT_COMPLETION_HOOK"
REDACT = "OTEL_EXPORTER_MLFLOW_REDACT"
SECRET = "Zwiebelkuchen"


@pytest.fixture(autouse=True)
def nothing_held(monkeypatch):
    gc.collect()
    held.exporters.clear()
    held.forget()
    monkeypatch.setattr(held, "is_used", False)
    yield
    held.forget()


@dataclass
class Both:
    """A provider with an exporter to MLflow, and a colleague's beside it."""

    provider: TracerProvider
    mlflow: MlflowSpanExporter
    others: InMemorySpanExporter

    @property
    def seen_by_others(self):
        """The bytes that would go to their backends."""
        return encode_spans(self.others.get_finished_spans()).SerializeToString()


@pytest.fixture
def both(monkeypatch, wire):
    monkeypatch.setenv(HOOK, "mlflow")
    made = _both(wire.uri)
    yield made
    made.provider.shutdown()


def _both(uri, **more):
    others = InMemorySpanExporter()
    mlflow = MlflowSpanExporter(tracking_uri=uri, **more)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(others))
    provider.add_span_processor(SimpleSpanProcessor(mlflow))
    return Both(provider, mlflow, others)


def talk(both, question=SECRET, model="m"):
    """One model call of an instrumentation that uses util-genai."""
    handler = TelemetryHandler(
        tracer_provider=both.provider, completion_hook=load_completion_hook()
    )
    with handler.inference("example", request_model=model) as call:
        call.system_instruction = [TextPart(f"{question} system")]
        call.input_messages = [InputMessage("user", [TextPart(question)])]
        call.output_messages = [
            OutputMessage(
                "assistant",
                [
                    ReasoningPart(f"{question} thought"),
                    TextPart(f"{question} answer"),
                    ToolCallRequestPart({"q": f"{question} argument"}, "look", "c1"),
                ],
                "tool_calls",
            )
        ]
        call.tool_definitions = [
            FunctionToolDefinition("look", f"{question} tool", {"type": "object"})
        ]
    return call.span


def sent(wire):
    return b"".join(map(unpacked, wire.requests))


def unpacked(request):
    is_compressed = request.headers.get("content-encoding") == "gzip"
    return gzip.decompress(request.body) if is_compressed else request.body


def spans_sent(wire):
    return [name for request in wire.requests for name in request.span_names]


def test_the_hook_is_found_by_its_name(monkeypatch):
    (found,) = (
        hook
        for hook in entry_points(group="opentelemetry_genai_completion_hook")
        if hook.name == "mlflow"
    )
    assert found.load() is MlflowCompletionHook


def test_content_reaches_mlflow_and_no_span_that_others_see(both, wire):
    talk(both)
    assert SECRET.encode() not in both.seen_by_others
    body = sent(wire)
    for what in (" system", " thought", " answer", " argument", " tool"):
        assert f"{SECRET}{what}".encode() in body
    assert spans_sent(wire) == ["chat m"]


def test_nothing_is_held_once_it_is_sent(both):
    talk(both)
    assert not held._calls
    assert held._bytes == 0


def test_without_the_setting_there_is_no_content(monkeypatch, both, wire):
    monkeypatch.delenv(HOOK)
    talk(both)
    assert SECRET.encode() not in sent(wire)


def test_the_hook_may_be_called_after_the_span_was_exported(both, wire):
    hook = load_completion_hook()
    tracer = both.provider.get_tracer("late")
    attributes = {"gen_ai.operation.name": "chat"}
    span = tracer.start_span("chat", attributes=attributes)
    span.end()
    assert SECRET.encode() not in sent(wire)
    said = [InputMessage("user", [TextPart(SECRET)])]
    hook.on_completion(inputs=said, outputs=[], system_instruction=[], span=span)
    assert both.mlflow.force_flush()
    assert SECRET.encode() in sent(wire)
    assert spans_sent(wire) == ["chat", "chat"]
    both.mlflow.force_flush()
    assert spans_sent(wire) == ["chat", "chat"]


def test_late_content_goes_with_the_next_spans_or_with_the_shutdown(both, wire):
    hook = load_completion_hook()
    tracer = both.provider.get_tracer("late")
    attributes = {"gen_ai.operation.name": "chat"}
    late = [tracer.start_span(name, attributes=attributes) for name in "ab"]
    for span in late:
        span.end()
        hook.on_completion(inputs=[SECRET], span=span)
    assert spans_sent(wire) == ["a", "b", "a"]
    both.mlflow.shutdown()
    assert spans_sent(wire) == ["a", "b", "a", "b"]


def test_spans_that_nobody_records_leave_nothing_behind(monkeypatch):
    monkeypatch.setenv(HOOK, "mlflow")
    hook = load_completion_hook()
    unsampled, unexported = (
        TracerProvider(sampler=sampler).get_tracer("t").start_span("s")
        for sampler in (ALWAYS_OFF, StaticSampler(Decision.RECORD_ONLY))
    )
    assert unexported.is_recording()
    sampled = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1))
    for span in (unsampled, unexported, NonRecordingSpan(sampled), None):
        hook.on_completion(
            inputs=[SECRET], outputs=[], system_instruction=[], span=span
        )
    assert not held._calls


def test_a_call_without_content_is_not_held(both):
    span = both.provider.get_tracer("t").start_span("s")
    load_completion_hook().on_completion(
        inputs=[], outputs=[], system_instruction=[], tool_definitions=None, span=span
    )
    assert not held._calls


def test_every_exporter_gets_it(monkeypatch, both, wire):
    another = MlflowSpanExporter(tracking_uri=wire.uri)
    both.provider.add_span_processor(SimpleSpanProcessor(another))
    talk(both)
    bodies = map(unpacked, wire.requests)
    assert [SECRET.encode() in body for body in bodies] == [True, True]
    assert not held._calls
    another.shutdown()
    talk(both)
    assert not held._calls


def test_what_stands_on_the_span_for_everybody_goes_first(both, wire):
    ours = '[{"role": "user", "parts": [{"type": "text", "content": "for all"}]}]'
    span = both.provider.get_tracer("t").start_span(
        "chat", attributes={"gen_ai.input.messages": ours}
    )
    load_completion_hook().on_completion(
        inputs=[InputMessage("user", [TextPart("for MLflow")])],
        outputs=[OutputMessage("assistant", [TextPart(SECRET)], "stop")],
        span=span,
    )
    span.end()
    assert b"for all" in sent(wire)
    assert b"for MLflow" not in sent(wire)
    assert SECRET.encode() in sent(wire)


def test_memory_is_bounded_in_calls(monkeypatch, caplog):
    monkeypatch.setattr(_held, "_MOST_CALLS", 3)
    content = HeldContent()
    for number in range(5):
        content.keep((1, number), {"a": "b"})
    assert list(content._calls) == [(1, 2), (1, 3), (1, 4)]
    assert content.dropped == 2
    (record,) = caplog.records
    assert record.getMessage() == (
        "Message content does not reach MLflow: that of more than 3 calls, or 64 MiB, "
        "waits for its spans, and the oldest is dropped. Is there an "
        "MlflowSpanExporter on the tracer provider, and does it get these spans? (This "
        "is said once; HeldContent.dropped counts.)"
    )


def test_memory_is_bounded_in_bytes(monkeypatch):
    monkeypatch.setattr(_held, "_MOST_BYTES", 3_000)
    content = HeldContent()
    for number in range(5):
        content.keep((1, number), {"a": "b" * 1_000})
        assert content._bytes == sum(c.size for c in content._calls.values()) <= 3_000
    assert list(content._calls) == [(1, 3), (1, 4)]
    content.keep((1, 9), {"a": "b" * 4_000})
    assert (list(content._calls), content._bytes, content.dropped) == ([], 0, 6)
    content.keep((1, 1), {"a": "b"})
    content.keep((1, 1), {"a": "c"})
    assert (len(content._calls), content.dropped) == (1, 6)


def test_spans_that_wait_for_content_are_bounded(monkeypatch, spans):
    monkeypatch.setattr(_held, "_MOST_SPANS", 2)
    monkeypatch.setattr(held, "is_used", True)
    joining = Joining()
    talks = [spans.made(name, {"gen_ai.operation.name": "chat"}) for name in "abc"]
    others = [spans.made("d"), ReadableSpan("e")]
    assert joining.joined([*talks, *others]) == [*talks, *others]
    assert [span.name for span in joining._waiting.values()] == ["b", "c"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_takes_nothing_along():
    held.keep((1, 1), {"a": "b"})
    child = os.fork()
    if not child:
        os._exit(len(held._calls))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(held._calls) == 1


class Odd:
    def __str__(self):
        return "odd"


def test_whatever_a_message_holds_becomes_json(both, wire):
    span = both.provider.get_tracer("t").start_span(
        "chat", attributes={"gen_ai.operation.name": "chat"}
    )
    parts = [
        BlobPart("image/png", "image", b"\x00\xff"),
        ToolCallRequestPart({"odd": Odd(), "lone": "\ud800"}, "f", "c"),
    ]
    load_completion_hook().on_completion(
        inputs=[InputMessage("user", parts)],
        outputs=[],
        system_instruction=[],
        span=span,
    )
    span.end()
    body = sent(wire)
    assert b"data:image/png;base64,AP8=" in body
    assert b'\\"odd\\": \\"odd\\"' in body.replace(b"\\\\\\", b"\\")


def test_content_that_is_no_json_is_withheld_and_said_once(both, wire, caplog):
    circle: list = []
    circle.append(circle)
    hook = load_completion_hook()
    for _ in range(2):
        span = both.provider.get_tracer("t").start_span(
            "chat", attributes={"gen_ai.operation.name": "chat"}
        )
        hook.on_completion(inputs=circle, outputs=[], system_instruction=[], span=span)
        span.end()
    assert spans_sent(wire) == ["chat", "chat"]
    assert sent(wire).count(b"withheld: ValueError") == 2
    (record,) = caplog.records
    assert record.getMessage() == (
        "Message content that is no JSON (ValueError) is withheld from MLflow. "
        "(This is said once.)"
    )


class Elsewhere:
    """A hook of somebody's."""

    calls: list[dict] = []  # noqa: RUF012  # entry points are loaded afresh

    def on_completion(self, **said):
        self.calls.append(said)


@pytest.fixture
def elsewhere(monkeypatch, tmp_path):
    info = tmp_path / "elsewhere-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: elsewhere\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        f"[opentelemetry_genai_completion_hook]\nelsewhere = {__name__}:Elsewhere\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    Elsewhere.calls.clear()


def test_another_hook_comes_after_ours(monkeypatch, elsewhere, both, wire):
    monkeypatch.setenv(NEXT, "elsewhere")
    span = talk(both)
    assert f"{SECRET} thought".encode() in sent(wire)
    (call,) = Elsewhere.calls
    assert call == IsPartialDict(
        inputs=[InputMessage("user", [TextPart(SECRET)])], span=span
    )


@pytest.mark.parametrize("name", ["mlflow", "gone"])
def test_a_next_hook_that_is_none_is_refused(monkeypatch, elsewhere, name):
    monkeypatch.setenv(NEXT, name)
    with pytest.raises(
        ValueError,
        match=rf"{NEXT} takes the name of another completion hook "
        rf"\(elsewhere, upload\), not '{name}'",
    ):
        MlflowCompletionHook()


# --- redaction


def redacted(attributes):
    return {
        name: value.replace(SECRET, "···") if isinstance(value, str) else value
        for name, value in attributes.items()
    }


def failing(attributes):
    attributes.clear()
    raise ValueError(SECRET)


def no_dict(attributes):
    return list(attributes)


@pytest.fixture(params=["argument", "path", "variable"])
def redacting(request, monkeypatch, wire):
    """Makes an exporter that redacts, in each of the three ways to say so."""
    monkeypatch.setenv(HOOK, "mlflow")
    module = type(sys)("redaction_of_the_test")
    monkeypatch.setitem(sys.modules, module.__name__, module)

    def made(function):
        module.function = function
        path = f"{module.__name__}:function"
        match request.param:
            case "argument":
                more = {"redact": function}
            case "path":
                more = {"redact": path}
            case _:
                monkeypatch.setenv(REDACT, path)
                more = {}
        both = _both(wire.uri, **more)
        request.addfinalizer(both.provider.shutdown)
        return both

    return made


def test_redaction_sees_all_that_leaves(redacting, wire):
    both = redacting(redacted)
    tracer = both.provider.get_tracer("t")
    with tracer.start_as_current_span("work") as root:
        talk(both)
        root.add_event("note", {"text": SECRET})
        root.record_exception(ValueError(SECRET))
        root.set_status(Status(StatusCode.ERROR, f"ValueError: {SECRET}"))
    body = sent(wire)
    assert SECRET.encode() not in body
    for what in (" system", " thought", " answer", " argument", " tool"):
        assert f"···{what}".encode() in body
    assert "ValueError: ···".encode() in body
    # Of the others nothing is taken.
    assert SECRET.encode() in both.seen_by_others


@pytest.mark.parametrize("function", [failing, no_dict])
def test_where_redaction_fails_content_is_withheld(redacting, wire, caplog, function):
    both = redacting(function)
    with both.provider.get_tracer("t").start_as_current_span("work") as root:
        talk(both)
        talk(both)
        root.add_event(SECRET[:3], {"text": SECRET})
        root.set_status(Status(StatusCode.ERROR, SECRET))
    body = sent(wire)
    assert SECRET.encode() not in body
    assert spans_sent(wire) == ["chat m", "chat m", "work"]
    assert b"CHAT_MODEL" in body
    assert b"the redaction raised" in body
    (record,) = caplog.records
    assert SECRET not in record.getMessage()
    assert "content is withheld" in record.getMessage()
    assert both.mlflow._roots._wording._redaction.failures > 2


@pytest.mark.parametrize(
    "path", ["gone:function", "json", "json:", "json:gone", "json:__name__", ":dumps"]
)
def test_a_redaction_that_is_not_there_is_refused(monkeypatch, path):
    monkeypatch.setenv(REDACT, path)
    with pytest.raises(ValueError, match=f"{REDACT} takes a function"):
        MlflowSpanExporter(tracking_uri="http://127.0.0.1:9")


# --- for real


@pytest.mark.e2e
def test_the_conversation_is_in_mlflow_and_nowhere_else(
    monkeypatch, mlflow_server, caplog
):
    from mlflow import MlflowClient

    monkeypatch.setenv(HOOK, "mlflow")
    both = _both(mlflow_server, experiment_name=f"content {uuid.uuid4()}")
    instrumentor = DeepSeekInstrumentor()
    with Simulator() as simulator:
        instrumentor.instrument(tracer_provider=both.provider, hosts=["127.0.0.1"])
        try:
            client = openai.OpenAI(base_url=simulator.base_url, api_key="sk-test")
            with both.provider.get_tracer("t").start_as_current_span("work"):
                answer = client.chat.completions.create(
                    model="deepseek-flash",
                    messages=[
                        {"role": "system", "content": f"{SECRET} system"},
                        {"role": "user", "content": SECRET},
                    ],
                )
                stream = client.chat.completions.create(
                    model="deepseek-flash",
                    messages=[{"role": "user", "content": SECRET}],
                    stream=True,
                )
                for _ in stream:
                    pass
        finally:
            instrumentor.uninstrument()
    both.provider.shutdown()
    message = answer.choices[0].message
    plain, _, root = both.others.get_finished_spans()
    for said in (SECRET, message.content, message.reasoning_content):
        assert said.encode() not in both.seen_by_others
    trace = MlflowClient(mlflow_server).get_trace(f"tr-{root.context.trace_id:032x}")
    (span,) = (
        span
        for span in trace.data.spans
        if span.span_id == f"{plain.context.span_id:016x}"
    )
    assert span.inputs["messages"] == [
        {"role": "system", "content": f"{SECRET} system"},
        {"role": "user", "content": SECRET},
    ]
    assert span.outputs["choices"][0]["message"] == {
        "role": "assistant",
        "content": message.content,
        "reasoning": message.reasoning_content,
    }
    assert trace.info.request_preview == SECRET
    assert caplog.records == []


def test_the_exporter_needs_no_genai_library():
    program = (
        "import sys\n"
        "from opentelemetry.exporter.mlflow import MlflowSpanExporter\n"
        "MlflowSpanExporter(tracking_uri='http://127.0.0.1:9').shutdown()\n"
        "print([m for m in sys.modules if 'util.genai' in m or m == 'openai'"
        " or m.endswith('mlflow._content._hook')])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert ended.stdout == "[]\n"
