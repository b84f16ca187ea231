"""A root shows the first question and the last answer beneath it."""

from __future__ import annotations

import json

import pytest

from opentelemetry.exporter.mlflow._batch_translator import _MAX_TRACES
from opentelemetry.exporter.mlflow._mapping import UNPARSED

from .calls import answered, asked, attributes_of, chat


def test_the_root_shows_the_first_question_and_the_last_answer(roots, spans):
    with spans.tracer.start_as_current_span("POST /ask", attributes={"http": 1}):
        chat(spans, "What is it?", None)
        chat(spans, "And now?", "Twenty-one.")
        chat(spans, "Any tool?", "")
    assert attributes_of(roots.translate(spans.take()), "POST /ask") == {
        "http": 1,
        "mlflow.spanType": "CHAIN",
        "mlflow.traceTag.mlflow.traceName": "POST /ask",
        "mlflow.spanInputs": asked("What is it?"),
        "mlflow.spanOutputs": answered("Twenty-one."),
    }


@pytest.mark.parametrize("size", [1, 2, 3])
def test_it_does_not_matter_which_spans_come_together(roots, spans, size):
    with spans.tracer.start_as_current_span("root"):
        chat(spans, "q", "a")
        chat(spans, "r", "b")
    ended = spans.take()
    mapped = []
    for start in range(0, len(ended), size):
        part = ended[start : start + size]
        mapped += roots.translate(part)
    assert [span.name for span in mapped] == ["chat m", "chat m", "root"]
    assert mapped[-1].attributes["mlflow.spanInputs"] == asked("q")
    assert mapped[-1].attributes["mlflow.spanOutputs"] == answered("b")


def test_time_says_what_is_first_and_last_not_the_order_of_arrival(roots, spans):
    with spans.tracer.start_as_current_span("root"):
        chat(spans, "q", "a")
        chat(spans, "r", "b")
    first, second, root = spans.take()
    *_, mapped = roots.translate([second, first, root])
    assert mapped.attributes["mlflow.spanInputs"] == asked("q")
    assert mapped.attributes["mlflow.spanOutputs"] == answered("b")


@pytest.mark.parametrize("order", [1, -1])
def test_calls_beneath_a_span_that_ends_after_the_root_count(roots, spans, order):
    with spans.tracer.start_as_current_span("root"):
        with spans.tracer.start_as_current_span("step"):
            chat(spans, "q", None)
        chat(spans, "r", "b")
    within, _, beside, root = spans.take()
    *_, mapped = roots.translate([*[within, beside][::order], root])
    assert mapped.attributes["mlflow.spanInputs"] == asked("q")
    assert mapped.attributes["mlflow.spanOutputs"] == answered("b")


def test_a_root_that_is_the_model_call_speaks_for_itself(roots, spans):
    chat(spans, "q", "a")
    (mapped,) = roots.translate(spans.take())
    assert json.loads(mapped.attributes["mlflow.spanInputs"])["model"] == "m"
    assert mapped.attributes["mlflow.spanType"] == "CHAT_MODEL"
    assert mapped.attributes["mlflow.traceTag.mlflow.traceName"] == "chat m"


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
            {"mlflow.spanOutputs": answered("a")},
        ),
        (
            {"input.value": ""},
            {"mlflow.spanInputs": asked("q"), "mlflow.spanOutputs": answered("a")},
        ),
    ],
)
def test_what_a_root_says_of_itself_stays(roots, spans, own, kept):
    with spans.tracer.start_as_current_span("root", attributes=own):
        chat(spans, "q", "a")
    assert attributes_of(roots.translate(spans.take()), "root") == {
        "mlflow.spanType": "CHAIN",
        "mlflow.traceTag.mlflow.traceName": "root",
        **own,
        **kept,
    }


def test_only_model_calls_are_borrowed_from(roots, spans):
    tool = {
        "gen_ai.operation.name": "execute_tool",
        "mlflow.spanInputs": asked("tool"),
    }
    with (
        spans.tracer.start_as_current_span("root"),
        spans.tracer.start_as_current_span("tool", attributes=tool),
    ):
        pass
    assert "mlflow.spanInputs" not in attributes_of(
        roots.translate(spans.take()), "root"
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
def test_inputs_of_another_shape_are_no_question(roots, spans, inputs):
    with spans.tracer.start_as_current_span("root"):
        chat(spans, **{"mlflow.spanInputs": inputs, "mlflow.spanOutputs": inputs})
    root = attributes_of(roots.translate(spans.take()), "root")
    assert "mlflow.spanInputs" not in root
    assert "mlflow.spanOutputs" not in root


def test_the_text_of_an_image_question_is_borrowed_without_the_image(roots, spans):
    parts = [
        {"type": "blob", "modality": "image", "content": "aGk="},
        {"type": "text", "content": "What is it?"},
    ]
    messages = json.dumps([{"role": "user", "parts": parts}])
    with spans.tracer.start_as_current_span("root"):
        chat(spans, **{"gen_ai.input.messages": messages})
    root = attributes_of(roots.translate(spans.take()), "root")
    assert root["mlflow.spanInputs"] == asked("What is it?")


def test_a_borrowed_text_is_bounded(roots, spans):
    with spans.tracer.start_as_current_span("root"):
        chat(spans, "q" * 20_000, "a" * 20_000)
    root = attributes_of(roots.translate(spans.take()), "root")
    assert root["mlflow.spanInputs"] == asked("q" * 10_000)
    assert root["mlflow.spanOutputs"] == answered("a" * 10_000)


def test_traces_without_an_end_do_not_pile_up(roots, spans):
    def trace(number):
        with spans.tracer.start_as_current_span(f"root {number}"):
            chat(spans, f"q {number}", "a")
        child, root = spans.take()
        roots.translate([child])
        return child, root

    def has_question(root):
        (mapped,) = roots.translate([root])
        return "mlflow.spanInputs" in mapped.attributes

    used, forgotten, *_, kept = [trace(number) for number in range(_MAX_TRACES)]
    roots.translate([used[0]])
    trace("one more")
    assert has_question(used[1])
    assert not has_question(forgotten[1])
    assert has_question(kept[1])
