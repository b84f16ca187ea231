"""Message content from the completion hook reaches MLflow only."""

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

from .two_exporters import (
    HOOK_VARIABLE,
    SECRET,
    call_model,
    sent_bytes,
    sent_span_names,
)


def test_entry_point_loads_the_hook(monkeypatch):
    (entry_point,) = (
        entry_point
        for entry_point in entry_points(group="opentelemetry_genai_completion_hook")
        if entry_point.name == "mlflow"
    )
    assert entry_point.load() is MlflowCompletionHook


def test_content_reaches_mlflow_but_not_other_exporters(exporters, fake_server):
    call_model(exporters)
    assert SECRET.encode() not in exporters.bytes_of_other
    body = sent_bytes(fake_server)
    for part in (" system", " thought", " answer", " argument", " tool"):
        assert f"{SECRET}{part}".encode() in body
    assert sent_span_names(fake_server) == ["chat m"]


def test_no_content_without_the_setting(monkeypatch, exporters, fake_server):
    monkeypatch.delenv(HOOK_VARIABLE)
    call_model(exporters)
    assert SECRET.encode() not in sent_bytes(fake_server)


def test_content_after_the_export_of_its_span_sends_the_span_again(
    exporters, fake_server
):
    hook = load_completion_hook()
    tracer = exporters.provider.get_tracer("late")
    attributes = {"gen_ai.operation.name": "chat"}
    span = tracer.start_span("chat", attributes=attributes)
    span.end()
    assert SECRET.encode() not in sent_bytes(fake_server)
    messages = [InputMessage("user", [TextPart(SECRET)])]
    hook.on_completion(inputs=messages, outputs=[], system_instruction=[], span=span)
    assert exporters.mlflow.force_flush()
    assert SECRET.encode() in sent_bytes(fake_server)
    assert sent_span_names(fake_server) == ["chat", "chat"]
    exporters.mlflow.force_flush()
    assert sent_span_names(fake_server) == ["chat", "chat"]


def test_late_content_is_sent_with_the_next_export_or_shutdown(exporters, fake_server):
    hook = load_completion_hook()
    tracer = exporters.provider.get_tracer("late")
    attributes = {"gen_ai.operation.name": "chat"}
    spans = [tracer.start_span(name, attributes=attributes) for name in "ab"]
    for span in spans:
        span.end()
        hook.on_completion(inputs=[SECRET], span=span)
    assert sent_span_names(fake_server) == ["a", "b", "a"]
    exporters.mlflow.shutdown()
    assert sent_span_names(fake_server) == ["a", "b", "a", "b"]


def test_content_on_the_span_takes_precedence(exporters, fake_server):
    messages = '[{"role": "user", "parts": [{"type": "text", "content": "for all"}]}]'
    span = exporters.provider.get_tracer("t").start_span(
        "chat", attributes={"gen_ai.input.messages": messages}
    )
    load_completion_hook().on_completion(
        inputs=[InputMessage("user", [TextPart("for MLflow")])],
        outputs=[OutputMessage("assistant", [TextPart(SECRET)], "stop")],
        span=span,
    )
    span.end()
    assert b"for all" in sent_bytes(fake_server)
    assert b"for MLflow" not in sent_bytes(fake_server)
    assert SECRET.encode() in sent_bytes(fake_server)


class NotSerializable:
    def __str__(self):
        return "text"


def test_parts_that_are_not_json_types_are_converted(exporters, fake_server):
    span = exporters.provider.get_tracer("t").start_span(
        "chat", attributes={"gen_ai.operation.name": "chat"}
    )
    parts = [
        BlobPart("image/png", "image", b"\x00\xff"),
        ToolCallRequestPart(
            {"key": NotSerializable(), "surrogate": "\ud800"}, "f", "c"
        ),
    ]
    load_completion_hook().on_completion(
        inputs=[InputMessage("user", parts)],
        outputs=[],
        system_instruction=[],
        span=span,
    )
    span.end()
    body = sent_bytes(fake_server)
    assert b"data:image/png;base64,AP8=" in body
    assert b'\\"key\\": \\"text\\"' in body.replace(b"\\\\\\", b"\\")


def test_content_that_is_not_serializable_is_withheld_and_logged_once(
    exporters, fake_server, caplog
):
    circular: list = []
    circular.append(circular)
    hook = load_completion_hook()
    for _ in range(2):
        span = exporters.provider.get_tracer("t").start_span(
            "chat", attributes={"gen_ai.operation.name": "chat"}
        )
        hook.on_completion(
            inputs=circular, outputs=[], system_instruction=[], span=span
        )
        span.end()
    assert sent_span_names(fake_server) == ["chat", "chat"]
    assert sent_bytes(fake_server).count(b"withheld: ValueError") == 2
    (record,) = caplog.records
    assert record.getMessage() == (
        "Message content cannot be serialized as JSON (ValueError). It is withheld "
        "from MLflow. This is logged once."
    )


def test_exporter_does_not_import_genai_libraries():
    program = (
        "import sys\n"
        "from opentelemetry.exporter.mlflow import MlflowSpanExporter\n"
        "MlflowSpanExporter(tracking_uri='http://127.0.0.1:9').shutdown()\n"
        "print([m for m in sys.modules if 'util.genai' in m or m == 'openai'"
        " or m.endswith('mlflow._content._completion_hook')])"
    )
    assert run(program) == "[]\n"
