"""Message content that MLflow gets, and nobody else, from the completion hook."""

from __future__ import annotations

from importlib.metadata import entry_points

from opentelemetry.util.genai.completion_hook import load_completion_hook
from opentelemetry.util.genai.types import (
    BlobPart,
    InputMessage,
    OutputMessage,
    TextPart,
    ToolCallRequestPart,
)

from opentelemetry.exporter.mlflow._content._completion_hook import MlflowCompletionHook
from tests.exporter.programs import run

from .conversation import HOOK, SECRET, sent, spans_sent, talk


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


def test_the_exporter_needs_no_genai_library():
    program = (
        "import sys\n"
        "from opentelemetry.exporter.mlflow import MlflowSpanExporter\n"
        "MlflowSpanExporter(tracking_uri='http://127.0.0.1:9').shutdown()\n"
        "print([m for m in sys.modules if 'util.genai' in m or m == 'openai'"
        " or m.endswith('mlflow._content._hook')])"
    )
    assert run(program) == "[]\n"
