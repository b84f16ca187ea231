"""A root shows the first question and the last answer beneath it."""

from __future__ import annotations

import json

import pytest

from opentelemetry.exporter.mlflow._batch_translator import _MAX_TRACES
from opentelemetry.exporter.mlflow._mapping import UNPARSED

from .model_calls import encode_inputs, encode_outputs, get_attributes, record_chat


def test_root_shows_first_question_and_last_answer(translator, spans):
    with spans.tracer.start_as_current_span("POST /ask", attributes={"http": 1}):
        record_chat(spans, "What is it?", None)
        record_chat(spans, "And now?", "Twenty-one.")
        record_chat(spans, "Any tool?", "")
    assert get_attributes(translator.translate(spans.take()), "POST /ask") == {
        "http": 1,
        "mlflow.spanType": "CHAIN",
        "mlflow.traceTag.mlflow.traceName": "POST /ask",
        "mlflow.spanInputs": encode_inputs("What is it?"),
        "mlflow.spanOutputs": encode_outputs("Twenty-one."),
    }


@pytest.mark.parametrize("batch_size", [1, 2, 3])
def test_root_is_the_same_for_every_batch_size(translator, spans, batch_size):
    with spans.tracer.start_as_current_span("root"):
        record_chat(spans, "q", "a")
        record_chat(spans, "r", "b")
    finished_spans = spans.take()
    translated = []
    for start in range(0, len(finished_spans), batch_size):
        batch = finished_spans[start : start + batch_size]
        translated += translator.translate(batch)
    assert [span.name for span in translated] == ["chat m", "chat m", "root"]
    assert translated[-1].attributes["mlflow.spanInputs"] == encode_inputs("q")
    assert translated[-1].attributes["mlflow.spanOutputs"] == encode_outputs("b")


def test_first_and_last_depend_on_time_and_not_on_order_of_arrival(translator, spans):
    with spans.tracer.start_as_current_span("root"):
        record_chat(spans, "q", "a")
        record_chat(spans, "r", "b")
    first, second, root = spans.take()
    *_, translated = translator.translate([second, first, root])
    assert translated.attributes["mlflow.spanInputs"] == encode_inputs("q")
    assert translated.attributes["mlflow.spanOutputs"] == encode_outputs("b")


@pytest.mark.parametrize("order", [1, -1])
def test_calls_beneath_a_span_that_arrives_after_the_root_are_included(
    translator, spans, order
):
    with spans.tracer.start_as_current_span("root"):
        with spans.tracer.start_as_current_span("step"):
            record_chat(spans, "q", None)
        record_chat(spans, "r", "b")
    nested_chat, _, direct_chat, root = spans.take()
    chats = [nested_chat, direct_chat][::order]
    *_, translated = translator.translate([*chats, root])
    assert translated.attributes["mlflow.spanInputs"] == encode_inputs("q")
    assert translated.attributes["mlflow.spanOutputs"] == encode_outputs("b")


def test_a_model_call_as_root_shows_its_messages(translator, spans):
    record_chat(spans, "q", "a")
    (translated,) = translator.translate(spans.take())
    assert json.loads(translated.attributes["mlflow.spanInputs"])["model"] == "m"
    assert translated.attributes["mlflow.spanType"] == "CHAT_MODEL"
    assert translated.attributes["mlflow.traceTag.mlflow.traceName"] == "chat m"


@pytest.mark.parametrize(
    ("root_attributes", "added_attributes"),
    [
        ({"input.value": "q0", "output.value": "a0"}, {}),
        ({"mlflow.spanInputs": '"q0"', "mlflow.spanOutputs": '"a0"'}, {}),
        (
            {"gen_ai.input.messages": "{", "gen_ai.output.messages": "{"},
            {UNPARSED: ("gen_ai.input.messages", "gen_ai.output.messages")},
        ),
        (
            {"traceloop.entity.input": "q0"},
            {"mlflow.spanOutputs": encode_outputs("a")},
        ),
        (
            {"input.value": ""},
            {
                "mlflow.spanInputs": encode_inputs("q"),
                "mlflow.spanOutputs": encode_outputs("a"),
            },
        ),
    ],
)
def test_inputs_and_outputs_of_the_root_are_not_replaced(
    translator, spans, root_attributes, added_attributes
):
    with spans.tracer.start_as_current_span("root", attributes=root_attributes):
        record_chat(spans, "q", "a")
    assert get_attributes(translator.translate(spans.take()), "root") == {
        "mlflow.spanType": "CHAIN",
        "mlflow.traceTag.mlflow.traceName": "root",
        **root_attributes,
        **added_attributes,
    }


def test_only_model_calls_give_question_and_answer(translator, spans):
    tool_attributes = {
        "gen_ai.operation.name": "execute_tool",
        "mlflow.spanInputs": encode_inputs("tool"),
    }
    with (
        spans.tracer.start_as_current_span("root"),
        spans.tracer.start_as_current_span("tool", attributes=tool_attributes),
    ):
        pass
    assert "mlflow.spanInputs" not in get_attributes(
        translator.translate(spans.take()), "root"
    )


@pytest.mark.parametrize(
    "inputs",
    [
        "{",
        "[]",
        '{"messages": 1}',
        '{"messages": [1, {"role": "system", "content": "x"}]}',
        7,
    ],
)
def test_inputs_of_an_unknown_shape_give_no_question(translator, spans, inputs):
    with spans.tracer.start_as_current_span("root"):
        record_chat(
            spans, **{"mlflow.spanInputs": inputs, "mlflow.spanOutputs": inputs}
        )
    root = get_attributes(translator.translate(spans.take()), "root")
    assert "mlflow.spanInputs" not in root
    assert "mlflow.spanOutputs" not in root


def test_an_image_question_gives_its_text_without_the_image(translator, spans):
    parts = [
        {"type": "blob", "modality": "image", "content": "aGk="},
        {"type": "text", "content": "What is it?"},
    ]
    messages = json.dumps([{"role": "user", "parts": parts}])
    with spans.tracer.start_as_current_span("root"):
        record_chat(spans, **{"gen_ai.input.messages": messages})
    root = get_attributes(translator.translate(spans.take()), "root")
    assert root["mlflow.spanInputs"] == encode_inputs("What is it?")


def test_question_and_answer_of_the_root_are_truncated(translator, spans):
    with spans.tracer.start_as_current_span("root"):
        record_chat(spans, "q" * 20_000, "a" * 20_000)
    root = get_attributes(translator.translate(spans.take()), "root")
    assert root["mlflow.spanInputs"] == encode_inputs("q" * 10_000)
    assert root["mlflow.spanOutputs"] == encode_outputs("a" * 10_000)


def test_summaries_of_traces_that_never_end_are_evicted(translator, spans):
    def translate_child(number):
        with spans.tracer.start_as_current_span(f"root {number}"):
            record_chat(spans, f"q {number}", "a")
        child, root = spans.take()
        translator.translate([child])
        return child, root

    def has_question(root):
        (translated,) = translator.translate([root])
        return "mlflow.spanInputs" in translated.attributes

    used_trace, evicted_trace, *_, newest_trace = [
        translate_child(number) for number in range(_MAX_TRACES)
    ]
    translator.translate([used_trace[0]])
    translate_child("one more")
    assert has_question(used_trace[1])
    assert not has_question(evicted_trace[1])
    assert has_question(newest_trace[1])
