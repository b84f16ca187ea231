"""Tool calls: which tools the model calls, with which arguments, and their results."""

from __future__ import annotations

import json

import pytest
from dirty_equals import IsStr
from inline_snapshot import snapshot

from tests.simulator.http_requests import TWO_CITIES, WEATHER_TOOL
from tests.simulator.sdk_requests import (
    content_of,
    create_chat,
    create_chat_without_thinking,
)

_CALL_ID = IsStr(regex=r"call_\d\d_[A-Za-z0-9]{24}")


def test_question_about_two_cities_gets_two_tool_calls(client):
    choice = create_chat(client, TWO_CITIES, tools=[WEATHER_TOOL]).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content == ""
    assert choice.message.reasoning_content == snapshot(
        "The user asks about 2 things. I should call get_weather once for each, and I"
        " can do so at the same time."
    )
    assert [call.model_dump() for call in choice.message.tool_calls] == [
        {
            "id": _CALL_ID,
            "function": {
                "arguments": json.dumps({"location": city}),
                "name": "get_weather",
            },
            "type": "function",
            "index": index,
        }
        for index, city in enumerate(["Hangzhou", "Beijing"])
    ]


def _function(name, description="", required=None, **properties):
    required = list(properties) if required is None else required
    schema = {"type": "object", "properties": properties, "required": required}
    function = {"name": name, "description": description, "parameters": schema}
    return {"type": "function", "function": function}


_TEXT = {"type": "string"}
_NUMBER = {"type": "number"}
_UNIT = {"type": "string", "enum": ["celsius", "fahrenheit"]}
_TIME_TOOL = _function("get_time", "The local time", city=_TEXT)
_REF_TOOL = _function("book", "Book a table", guest={"$ref": "#/$defs/Guest"})
_REF_TOOL["function"]["parameters"]["$defs"] = {
    "Guest": {
        "type": "object",
        "properties": {
            "name": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "count": {"type": "integer", "default": 2},
        },
        "required": ["name", "count"],
    }
}


@pytest.mark.parametrize(
    ("question", "tools", "calls"),
    [
        ("weather in paris", [WEATHER_TOOL], [{"location": "Paris"}]),
        (
            "Do I need a coat in Oslo?",
            [WEATHER_TOOL, _TIME_TOOL],
            [{"location": "Oslo"}],
        ),
        (
            "The weather in Paris and the time in New York?",
            [WEATHER_TOOL, _TIME_TOOL],
            [{"location": "Paris"}, {"city": "New York"}],
        ),
        (
            "The weather in Oslo tomorrow, in fahrenheit",
            [_function("weather", city=_TEXT, day=_TEXT, unit=_UNIT)],
            [{"city": "Oslo", "day": "tomorrow", "unit": "fahrenheit"}],
        ),
        ("\u676d\u5dde\u5929\u6c14", [WEATHER_TOOL], [{"location": "\u676d\u5dde"}]),
        (
            "What is 2 + 3.5?",
            [_function("add", a=_NUMBER, b=_NUMBER)],
            [{"a": 2, "b": 3.5}],
        ),
        (
            "Convert 100 USD to EUR",
            [_function("convert", amount=_NUMBER, source=_TEXT, target=_TEXT)],
            [{"amount": 100, "source": "USD", "target": "EUR"}],
        ),
        (
            "Who won the cup?",
            [_function("search", query=_TEXT)],
            [{"query": "Who won the cup?"}],
        ),
        (
            "Sort 3, 1 and 2",
            [
                _function(
                    "sort", numbers={"type": "array", "items": {"type": "integer"}}
                )
            ],
            [{"numbers": [3, 1, 2]}],
        ),
        ("Book a table for Ada", [_REF_TOOL], [{"guest": {"name": "Ada", "count": 2}}]),
        ("What time is it?", [_function("clock", "The time now")], [{}]),
        ("Tell me a joke", [WEATHER_TOOL], None),
        ("Hello!", [_function("search", query=_TEXT)], None),
    ],
)
def test_arguments_are_extracted_from_question(client, question, tools, calls):
    message = create_chat(client, question, tools=tools).choices[0].message
    arguments = [json.loads(c.function.arguments) for c in message.tool_calls or []]
    assert arguments == (calls or [])


@pytest.mark.parametrize(
    "choice", ["required", {"type": "function", "function": {"name": "get_weather"}}]
)
def test_required_tool_call_is_made_for_any_question(client, choice):
    completion = create_chat_without_thinking(
        client, "Hello", tools=[WEATHER_TOOL], tool_choice=choice
    )
    (call,) = completion.choices[0].message.tool_calls
    assert (call.function.name, call.function.arguments) == (
        "get_weather",
        '{"location": "Hello"}',
    )


def test_tool_choice_none_prevents_tool_calls(client):
    message = (
        create_chat(client, TWO_CITIES, tools=[WEATHER_TOOL], tool_choice="none")
        .choices[0]
        .message
    )
    assert message.tool_calls is None


def test_disabled_thinking_adds_content_before_tool_calls(client):
    message = (
        create_chat_without_thinking(client, TWO_CITIES, tools=[WEATHER_TOOL])
        .choices[0]
        .message
    )
    assert message.content == "Let me look that up."
    assert len(message.tool_calls) == 2


@pytest.mark.parametrize(
    ("results", "answer"),
    [
        (
            ['{"temperature": 24, "condition": "Sunny"}', "18C"],
            (
                "In Hangzhou it is 24 °C and sunny and in Beijing it is 18 °C. Hangzhou"
                " is the warmer of the two."
            ),
        ),
        (
            ['{"error": "no such city"}', '{"temp": 60, "unit": "fahrenheit"}'],
            (
                "In Beijing it is 60 °F. `get_weather` failed, so that part is missing:"
                " error no such city."
            ),
        ),
        (["Rain.", "Snow."], "In Hangzhou it is Rain and in Beijing it is Snow."),
    ],
)
def test_answer_summarizes_tool_results(client, results, answer):
    assistant_message = (
        create_chat(client, TWO_CITIES, tools=[WEATHER_TOOL]).choices[0].message
    )
    history = [TWO_CITIES, assistant_message.model_dump(exclude_none=True)]
    history += [
        {"role": "tool", "tool_call_id": call.id, "content": result}
        for call, result in zip(assistant_message.tool_calls, results, strict=True)
    ]
    completion = create_chat(client, *history, tools=[WEATHER_TOOL])
    assert completion.choices[0].finish_reason == "stop"
    assert content_of(completion) == answer


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        ("5", "The result: 5."),
        ('{"total": 5, "exact": true}', "Total is 5 and exact is yes."),
        ('["a", "b"]', "`add` found a and b."),
        ("The two numbers make five.", "The two numbers make five."),
    ],
)
def test_tool_result_becomes_sentence(client, result, answer):
    tool = _function("add", a=_NUMBER, b=_NUMBER)
    question = {"role": "user", "content": "2 + 3"}
    assistant_message = create_chat(client, question, tools=[tool]).choices[0].message
    tool_message = {
        "role": "tool",
        "tool_call_id": assistant_message.tool_calls[0].id,
        "content": result,
    }
    history = [question, assistant_message.model_dump(exclude_none=True), tool_message]
    assert content_of(create_chat(client, *history, tools=[tool])) == answer


def test_max_tokens_can_truncate_tool_call(client):
    untruncated_count = create_chat(
        client, TWO_CITIES, tools=[WEATHER_TOOL]
    ).usage.completion_tokens
    choice = create_chat(
        client, TWO_CITIES, tools=[WEATHER_TOOL], max_tokens=untruncated_count - 2
    ).choices[0]
    assert choice.finish_reason == "length"
    arguments = [call.function.arguments for call in choice.message.tool_calls]
    assert json.loads(arguments[0]) == {"location": "Hangzhou"}
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(arguments[1])
