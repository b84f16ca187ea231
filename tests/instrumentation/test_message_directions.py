"""Property test: a message is recorded alike in a request and in a response.

The response is whole, or a stream that is cut at any place.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion

from opentelemetry.instrumentation.deepseek._messages import input_messages
from opentelemetry.instrumentation.deepseek._response import ResponseAccumulator
from opentelemetry.instrumentation.deepseek._telemetry import _to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Json = dict[str, Any]

# Tags of reasoning, and halves of a character outside the basic plane.
texts = st.lists(
    st.text() | st.sampled_from(["<think>", "</think>", "\n\n", "\ud83d", "\ude00"]),
    max_size=6,
).map("".join)
functions = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["get_weather", "search"]),
        "arguments": st.sampled_from(
            ['{"city": "Paris", "days": [1, 2.5]}', '{"x": NaN}', "1e999", '{"cut', ""]
        )
        | st.dictionaries(st.text(), st.integers() | st.text(), min_size=1),
    }
)
content_parts = st.lists(
    st.builds(lambda text: {"type": "text", "text": text}, texts.filter(bool))
    | st.builds(lambda text: {"type": "thinking", "thinking": text}, texts.filter(bool))
    | st.just({"type": "image_url", "image_url": {"url": "https://a.example/a.png"}}),
    min_size=1,
    max_size=4,
).filter(
    lambda parts: all(
        before["type"] != after["type"] for before, after in pairwise(parts)
    )
)
assistant_messages = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": st.none() | texts | content_parts},
    optional={
        "reasoning_content": texts,
        "reasoning": texts,
        "refusal": texts,
        "function_call": functions,
        "tool_calls": st.lists(functions, max_size=3).map(
            lambda functions: [
                {"id": f"call_{number}", "type": "function", "function": function}
                for number, function in enumerate(functions)
            ]
        ),
    },
)


def pieces(text: str, random: Any) -> list[str]:
    """Cuts a text at up to three places."""
    cuts = sorted(random.randrange(len(text) + 1) for _ in range(3))
    return [
        text[start:end] for start, end in zip([0, *cuts], [*cuts, None], strict=True)
    ]


def function_deltas(function: Json, random: Any) -> Iterator[Json]:
    if isinstance(function["arguments"], dict):
        yield function
        return
    yield {"name": function["name"], "arguments": ""}
    for piece in pieces(function["arguments"], random):
        yield {"arguments": piece}


def content_deltas(content: Any, random: Any) -> Iterator[Any]:
    if not isinstance(content, list):
        yield from pieces(content or "", random)
        return
    for part in content:
        name = next((name for name in ("text", "thinking") if name in part), None)
        for piece in pieces(part[name], random) if name else ():
            yield [part | {name: piece}]
        if name is None:
            yield [part]


def deltas(
    message: Json, random: Any, index_of: Callable[[int], int | None]
) -> Iterator[Json]:
    yield {"role": "assistant", "content": ""}
    for name in ("reasoning_content", "reasoning", "refusal"):
        for piece in pieces(message.get(name, ""), random):
            yield {name: piece}
    for delta in content_deltas(message["content"], random):
        yield {"content": delta}
    for position, call in enumerate(message.get("tool_calls", ())):
        call_ids = [call["id"]]
        for function in function_deltas(call["function"], random):
            yield {
                "tool_calls": [
                    {
                        "index": index_of(position),
                        "id": random.choice(call_ids),
                        "function": function,
                    }
                ]
            }
            call_ids = [call["id"], "", None]
    if "function_call" in message:
        for function in function_deltas(message["function_call"], random):
            yield {"function_call": function}


def recorded_parts(response: ResponseAccumulator) -> Any:
    (message,) = response.messages()
    assert message["role"] == "assistant"
    return message["parts"]


def streamed_parts(chunks: Sequence[Json]) -> Any:
    response = ResponseAccumulator(wants_content=True)
    for delta in chunks:
        response.add_chunk({"choices": [{"index": 0, "delta": delta}]})
    return recorded_parts(response)


def whole_parts(response: Any) -> Any:
    accumulator = ResponseAccumulator(wants_content=True)
    accumulator.add(response)
    return recorded_parts(accumulator)


@given(
    assistant_messages,
    st.randoms(use_true_random=False),
    st.sampled_from([lambda position: position, lambda _: None, lambda _: 0]),
)
def test_a_message_has_the_same_parts_in_each_direction(
    message: Json, random: Any, index_of: Callable[[int], int | None]
) -> None:
    if message.get("reasoning_content"):
        message.pop("reasoning", None)  # two names of one field
    (request_message,) = input_messages([message])
    # The value of the attribute.
    expected = _to_json(request_message["parts"])
    body = {"choices": [{"index": 0, "message": message}]}

    assert _to_json(whole_parts(body)) == expected
    assert _to_json(whole_parts(ChatCompletion.construct(**body))) == expected
    chunks = list(deltas(message, random, index_of))
    assert _to_json(streamed_parts(chunks)) == expected
