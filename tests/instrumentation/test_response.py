from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.instrumentation.deepseek._response import ResponseAccumulator


def thing(value: Any) -> Any:
    """JSON as the SDK's objects: fields are attributes, and a missing one raises."""
    if isinstance(value, dict):
        return SimpleNamespace(**{k: thing(v) for k, v in value.items()})
    return [thing(item) for item in value] if isinstance(value, list) else value


def answer(*parts: Any) -> ResponseAccumulator:
    made = ResponseAccumulator(wants_content=True)
    for part in parts:
        made.add(thing(part))
    return made


def chunk(index: int = 0, finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": index, "delta": delta, "finish_reason": finish}]}


def finishes(said: ResponseAccumulator, expected: int = 1) -> list[str]:
    return said.attributes(expected)["gen_ai.response.finish_reasons"]


def words(message: Any) -> list[str]:
    return [part["content"] for part in message["parts"]]


pieces = st.lists(st.text(), max_size=8)


@given(reasoning=pieces, content=pieces, arguments=pieces)
def test_any_split_of_a_text_gives_the_same_answer(
    reasoning: list[str], content: list[str], arguments: list[str]
) -> None:
    def said(reasoning: list[str], content: list[str], arguments: list[str]) -> Any:
        return answer(
            chunk(role="assistant", content=None, reasoning_content=""),
            *(chunk(reasoning_content=piece) for piece in reasoning),
            *(chunk(content=piece) for piece in content),
            chunk(tool_calls=[{"index": 0, "id": "1", "function": {"name": "f"}}]),
            *(
                chunk(tool_calls=[{"index": 0, "function": {"arguments": piece}}])
                for piece in arguments
            ),
            chunk(finish="tool_calls", content=""),
        ).messages()

    assert said(reasoning, content, arguments) == said(
        ["".join(reasoning)], ["".join(content)], ["".join(arguments)]
    )


def test_choices_are_told_apart_and_kept_in_order() -> None:
    said = answer(
        chunk(1, content="B"),
        chunk(0, content="A"),
        chunk(1, content="b", finish="length"),
        chunk(0, content="a", finish="stop"),
    )
    assert [words(message) for message in said.messages()] == [["Aa"], ["Bb"]]
    assert finishes(said) == ["stop", "length"]


def test_a_choice_that_never_came_is_an_error_at_its_place() -> None:
    said = answer(chunk(content="A", finish="stop"))
    assert finishes(said, expected=3) == ["stop", "error", "error"]
    assert len(said.messages()) == 1


def test_usage_beside_no_choice_counts() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 7, "prompt_cache_hit_tokens": 3}
    said = answer(chunk(content="A", finish="stop"), {"choices": [], "usage": usage})
    assert said.attributes(1) == {
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 5,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.cache_read.input_tokens": 3,
    }


@pytest.mark.parametrize(
    ("usage", "hits"),
    [
        ({"prompt_cache_hit_tokens": 0, "prompt_tokens_details": None}, 0),
        ({"prompt_tokens_details": {"prompt_cache_hit_tokens": 4}}, 4),
        ({"prompt_tokens_details": {"cached_tokens": 5}}, 5),
        ({"prompt_cache_hit_tokens": 2**70}, None),
        ({"prompt_cache_hit_tokens": True}, None),
        ("usage", None),
    ],
)
def test_cache_hits_are_found_wherever_deepseek_puts_them(
    usage: Any, hits: int | None
) -> None:
    said = answer({"choices": [], "usage": usage}).attributes(1)
    assert said.get("gen_ai.usage.cache_read.input_tokens") == hits


def test_a_gateways_reasoning_is_reasoning() -> None:
    said = answer(chunk(reasoning="Because.", content="Yes", finish="stop"))
    assert [words(message) for message in said.messages()] == [["Because.", "Yes"]]


@pytest.mark.parametrize(
    "part",
    [
        {},
        {"choices": None},
        {"choices": [{}]},
        {"choices": [{"index": None, "delta": None, "finish_reason": 3}]},
        {"choices": [{"delta": {"content": 5, "tool_calls": [{}]}}]},
        {"choices": [{"delta": {"reasoning_content": 5}}]},
        {"id": 1, "model": 2, "usage": 3},
    ],
)
def test_odd_parts_do_no_harm(part: Any) -> None:
    assert answer(part).attributes(1) == {"gen_ai.response.finish_reasons": ["error"]}


def test_tool_calls_without_an_index_are_told_apart_by_position() -> None:
    function = {"name": "f", "arguments": "{}"}
    said = answer(chunk(tool_calls=[{"id": "1", "function": function}, {"id": "2"}]))
    assert [part["id"] for part in said.messages()[0]["parts"]] == ["1", "2"]


def test_details_that_the_sdk_left_as_they_came_are_read() -> None:
    details = {"cached_tokens": 3}
    usage = SimpleNamespace(prompt_tokens=5, prompt_tokens_details=details)
    made = ResponseAccumulator(wants_content=False)
    made.add(SimpleNamespace(choices=[], usage=usage))

    assert made.attributes(0) == {
        "gen_ai.response.finish_reasons": [],
        "gen_ai.usage.input_tokens": 5,
        "gen_ai.usage.cache_read.input_tokens": 3,
    }
