"""A root shows the first question and the last answer beneath it."""

from __future__ import annotations

import json

import pytest

from opentelemetry.exporter.mlflow._batch_translator import _MAX_TRACES
from opentelemetry.exporter.mlflow._mapping import UNPARSED

from .model_calls import attributes_of, chat, chat_inputs, chat_outputs


def test_root_shows_first_question_and_last_answer(translator, spans):
    with spans.tracer.start_as_current_span("POST /ask", attributes={"http": 1}):
        chat(spans, "What is it?", None)
        chat(spans, "And now?", "Twenty-one.")
        chat(spans, "Any tool?", "")
    assert attributes_of(translator.translate(spans.take()), "POST /ask") == {
        "http": 1,
        "mlflow.spanType": "CHAIN",
        "mlflow.traceTag.mlflow.traceName": "POST /ask",
        "mlflow.spanInputs": chat_inputs("What is it?"),
        "mlflow.spanOutputs": chat_outputs("Twenty-one."),
    }


@pytest.mark.parametrize("size", [1, 2, 3])
def test_root_is_the_same_for_every_batch_size(translator, spans, size):
    with spans.tracer.start_as_current_span("root"):
        chat(spans, "q", "a")
        chat(spans, "r", "b")
    ended = spans.take()
    translated = []
    for start in range(0, len(ended), size):
        part = ended[start : start + size]
        translated += translator.translate(part)
    assert [span.name for span in translated] == ["chat m", "chat m", "root"]
    assert translated[-1].attributes["mlflow.spanInputs"] == chat_inputs("q")
    assert translated[-1].attributes["mlflow.spanOutputs"] == chat_outputs("b")


def test_first_and_last_are_decided_by_time_and_not_by_order_of_arrival(
    translator, spans
):
    with spans.tracer.start_as_current_span("root"):
        chat(spans, "q", "a")
        chat(spans, "r", "b")
    first, second, root = spans.take()
    *_, translated = translator.translate([second, first, root])
    assert translated.attributes["mlflow.spanInputs"] == chat_inputs("q")
    assert translated.attributes["mlflow.spanOutputs"] == chat_outputs("b")


@pytest.mark.parametrize("order", [1, -1])
def test_calls_beneath_a_span_that_ends_after_the_root_are_included(
    translator, spans, order
):
    with spans.tracer.start_as_current_span("root"):
        with spans.tracer.start_as_current_span("step"):
            chat(spans, "q", None)
        chat(spans, "r", "b")
    within, _, beside, root = spans.take()
    *_, translated = translator.translate([*[within, beside][::order], root])
    assert translated.attributes["mlflow.spanInputs"] == chat_inputs("q")
    assert translated.attributes["mlflow.spanOutputs"] == chat_outputs("b")


def test_a_model_call_as_root_shows_its_own_messages(translator, spans):
    chat(spans, "q", "a")
    (translated,) = translator.translate(spans.take())
    assert json.loads(translated.attributes["mlflow.spanInputs"])["model"] == "m"
    assert translated.attributes["mlflow.spanType"] == "CHAT_MODEL"
    assert translated.attributes["mlflow.traceTag.mlflow.traceName"] == "chat m"


@pytest.mark.parametrize(
    ("own", "kept"),
    [
        ({"input.value": "q0", "output.value": "a0"}, {}),
        ({"mlflow.spanInputs": '"q0"', "mlflow.spanOutputs": '"a0"'}, {}),
        (
            {"gen_ai.input.messages": "{", "gen_ai.output.messages": "{"},
            {UNPARSED: ("gen_ai.input.messages", "gen_ai.output.messages")},
        ),
        (
            {"traceloop.entity.input": "q0"},
            {"mlflow.spanOutputs": chat_outputs("a")},
        ),
        (
            {"input.value": ""},
            {
                "mlflow.spanInputs": chat_inputs("q"),
                "mlflow.spanOutputs": chat_outputs("a"),
            },
        ),
    ],
)
def test_inputs_and_outputs_of_the_root_are_kept(translator, spans, own, kept):
    with spans.tracer.start_as_current_span("root", attributes=own):
        chat(spans, "q", "a")
    assert attributes_of(translator.translate(spans.take()), "root") == {
        "mlflow.spanType": "CHAIN",
        "mlflow.traceTag.mlflow.traceName": "root",
        **own,
        **kept,
    }


def test_only_model_calls_give_question_and_answer(translator, spans):
    tool = {
        "gen_ai.operation.name": "execute_tool",
        "mlflow.spanInputs": chat_inputs("tool"),
    }
    with (
        spans.tracer.start_as_current_span("root"),
        spans.tracer.start_as_current_span("tool", attributes=tool),
    ):
        pass
    assert "mlflow.spanInputs" not in attributes_of(
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
def test_inputs_of_another_shape_give_no_question(translator, spans, inputs):
    with spans.tracer.start_as_current_span("root"):
        chat(spans, **{"mlflow.spanInputs": inputs, "mlflow.spanOutputs": inputs})
    root = attributes_of(translator.translate(spans.take()), "root")
    assert "mlflow.spanInputs" not in root
    assert "mlflow.spanOutputs" not in root


def test_an_image_question_gives_its_text_without_the_image(translator, spans):
    parts = [
        {"type": "blob", "modality": "image", "content": "aGk="},
        {"type": "text", "content": "What is it?"},
    ]
    messages = json.dumps([{"role": "user", "parts": parts}])
    with spans.tracer.start_as_current_span("root"):
        chat(spans, **{"gen_ai.input.messages": messages})
    root = attributes_of(translator.translate(spans.take()), "root")
    assert root["mlflow.spanInputs"] == chat_inputs("What is it?")


def test_question_and_answer_of_the_root_are_cut(translator, spans):
    with spans.tracer.start_as_current_span("root"):
        chat(spans, "q" * 20_000, "a" * 20_000)
    root = attributes_of(translator.translate(spans.take()), "root")
    assert root["mlflow.spanInputs"] == chat_inputs("q" * 10_000)
    assert root["mlflow.spanOutputs"] == chat_outputs("a" * 10_000)


def test_summaries_of_traces_that_never_end_are_evicted(translator, spans):
    def trace(number):
        with spans.tracer.start_as_current_span(f"root {number}"):
            chat(spans, f"q {number}", "a")
        child, root = spans.take()
        translator.translate([child])
        return child, root

    def has_question(root):
        (translated,) = translator.translate([root])
        return "mlflow.spanInputs" in translated.attributes

    used, forgotten, *_, kept = [trace(number) for number in range(_MAX_TRACES)]
    translator.translate([used[0]])
    trace("one more")
    assert has_question(used[1])
    assert not has_question(forgotten[1])
    assert has_question(kept[1])
