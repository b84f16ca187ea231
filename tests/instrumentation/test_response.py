from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.instrumentation.deepseek._response import ResponseAccumulator


def sdk_object(value: Any) -> Any:
    """Returns JSON as an object with attributes, like those of the SDK."""
    if isinstance(value, dict):
        return SimpleNamespace(**{k: sdk_object(v) for k, v in value.items()})
    return [sdk_object(item) for item in value] if isinstance(value, list) else value


def accumulate(*parts: Any) -> ResponseAccumulator:
    response = ResponseAccumulator(wants_content=True)
    for part in parts:
        response.add_chunk(sdk_object(part))
    return response


def chunk(
    index: int = 0, finish_reason: str | None = None, **delta: Any
) -> dict[str, Any]:
    return {
        "choices": [{"index": index, "delta": delta, "finish_reason": finish_reason}]
    }


def finish_reasons(response: ResponseAccumulator, choice_count: int = 1) -> list[str]:
    return response.attributes(choice_count)["gen_ai.response.finish_reasons"]


def part_texts(message: Any) -> list[str]:
    return [part["content"] for part in message["parts"]]


pieces = st.lists(st.text(), max_size=8)


@given(reasoning=pieces, content=pieces, arguments=pieces)
def test_any_split_of_a_text_gives_the_same_messages(
    reasoning: list[str], content: list[str], arguments: list[str]
) -> None:
    def messages(reasoning: list[str], content: list[str], arguments: list[str]) -> Any:
        return accumulate(
            chunk(role="assistant", content=None, reasoning_content=""),
            *(chunk(reasoning_content=piece) for piece in reasoning),
            *(chunk(content=piece) for piece in content),
            chunk(tool_calls=[{"index": 0, "id": "1", "function": {"name": "f"}}]),
            *(
                chunk(tool_calls=[{"index": 0, "function": {"arguments": piece}}])
                for piece in arguments
            ),
            chunk(finish_reason="tool_calls", content=""),
        ).messages()

    assert messages(reasoning, content, arguments) == messages(
        ["".join(reasoning)], ["".join(content)], ["".join(arguments)]
    )


def test_choices_are_separated_and_ordered_by_index() -> None:
    response = accumulate(
        chunk(1, content="B"),
        chunk(0, content="A"),
        chunk(1, content="b", finish_reason="length"),
        chunk(0, content="a", finish_reason="stop"),
    )
    assert [part_texts(message) for message in response.messages()] == [["Aa"], ["Bb"]]
    assert finish_reasons(response) == ["stop", "length"]


def test_missing_choice_has_finish_reason_error() -> None:
    response = accumulate(chunk(content="A", finish_reason="stop"))
    assert finish_reasons(response, choice_count=3) == ["stop", "error", "error"]
    assert len(response.messages()) == 1


def test_usage_in_a_chunk_without_choices_is_recorded() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 7, "prompt_cache_hit_tokens": 3}
    response = accumulate(
        chunk(content="A", finish_reason="stop"), {"choices": [], "usage": usage}
    )
    assert response.attributes(1) == {
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
def test_cache_hits_are_read_from_each_field_that_deepseek_uses(
    usage: Any, hits: int | None
) -> None:
    response = accumulate({"choices": [], "usage": usage}).attributes(1)
    assert response.get("gen_ai.usage.cache_read.input_tokens") == hits


def test_reasoning_field_of_a_gateway_is_recorded() -> None:
    response = accumulate(
        chunk(reasoning="Because.", content="Yes", finish_reason="stop")
    )
    assert [part_texts(message) for message in response.messages()] == [
        ["Because.", "Yes"]
    ]


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
def test_odd_chunk_gives_finish_reason_error_only(part: Any) -> None:
    assert accumulate(part).attributes(1) == {
        "gen_ai.response.finish_reasons": ["error"]
    }


def test_tool_calls_without_an_index_are_separated_by_position() -> None:
    function = {"name": "f", "arguments": "{}"}
    response = accumulate(
        chunk(tool_calls=[{"id": "1", "function": function}, {"id": "2"}])
    )
    assert [part["id"] for part in response.messages()[0]["parts"]] == ["1", "2"]


def test_usage_details_in_a_dictionary_are_read() -> None:
    details = {"cached_tokens": 3}
    usage = SimpleNamespace(prompt_tokens=5, prompt_tokens_details=details)
    response = ResponseAccumulator(wants_content=False)
    response.add_chunk(SimpleNamespace(choices=[], usage=usage))

    assert response.attributes(0) == {
        "gen_ai.response.finish_reasons": [],
        "gen_ai.usage.input_tokens": 5,
        "gen_ai.usage.cache_read.input_tokens": 3,
    }
