"""What the model says, asked through the openai SDK."""

from __future__ import annotations

import json

import openai
import pytest
from dirty_equals import IsStr
from inline_snapshot import snapshot

from tests.simulator.wire import HI, OFF, WEATHER

_CALL_ID = IsStr(regex=r"call_\d\d_[A-Za-z0-9]{24}")
_CITIES = {"role": "user", "content": "What is the weather in Hangzhou and Beijing?"}


def _ask(client, *messages, model="deepseek-flash", **kwargs):
    messages = [
        {"role": "user", "content": m} if isinstance(m, str) else m for m in messages
    ]
    return client.chat.completions.create(model=model, messages=messages, **kwargs)


def _plain(client, *messages, **kwargs):
    return _ask(client, *messages, extra_body={"thinking": OFF}, **kwargs)


@pytest.fixture
def beta(deepseek, client):
    return client.with_options(base_url=f"{deepseek.base_url}/beta")


def _said(completion):
    return completion.choices[0].message.content


def test_it_thinks_before_it_answers(client):
    message = _ask(client, "How many r's in strawberry?").choices[0].message
    assert message.content == snapshot('The word "strawberry" contains **3** r\'s.')
    assert message.reasoning_content == snapshot(
        "We need to count the letter r in strawberry: s-t-r-a-w-b-e-r-r-y. It is at"
        " 3, 8, 9. So 3. A short answer will do."
    )


def test_without_thinking_there_is_no_reasoning(client):
    completion = _plain(client, HI)
    assert _said(completion) == snapshot("Hello! How can I help you today?")
    assert not hasattr(completion.choices[0].message, "reasoning_content")
    assert completion.usage.completion_tokens_details is None


def test_more_effort_is_more_thought(client):
    counts = [
        _ask(client, "Why is the sky blue?", reasoning_effort=effort).usage
        for effort in ("low", "high", "max")
    ]
    reasoning = [usage.completion_tokens_details.reasoning_tokens for usage in counts]
    assert reasoning == sorted(set(reasoning))


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is 17 * 23?", "17 * 23 = 391"),
        ("What is (3 + 4) / 2?", "(3 + 4) / 2 = 3.5"),
        ("What is 8/4", "8/4 = 2"),
        ("What is 1/0?", IsStr(regex="On 1/0: it depends .*")),
        ("What is 2 ** 9?", IsStr(regex="On .*")),
        ("What is the capital of France?", "The capital of France is Paris."),
        ("How many z in pizza", 'The word "pizza" contains **2** z\'s.'),
        ("Thanks!", "You're welcome! Is there anything else?"),
        ("", IsStr(regex="On that: .*")),
    ],
)
def test_it_knows_a_few_things(client, question, answer):
    assert _said(_plain(client, question)) == answer


def test_the_same_question_has_the_same_answer(client):
    assert _said(_ask(client, "Which database?")) == _said(
        _ask(client, "Which database?")
    )


def test_a_question_about_two_cities_is_two_calls(client):
    choice = _ask(client, _CITIES, tools=[WEATHER]).choices[0]
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
_TIME = _function("get_time", "The local time", city=_TEXT)
_REF = _function("book", "Book a table", guest={"$ref": "#/$defs/Guest"})
_REF["function"]["parameters"]["$defs"] = {
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
        ("weather in paris", [WEATHER], [{"location": "Paris"}]),
        ("Do I need a coat in Oslo?", [WEATHER, _TIME], [{"location": "Oslo"}]),
        (
            "The weather in Paris and the time in New York?",
            [WEATHER, _TIME],
            [{"location": "Paris"}, {"city": "New York"}],
        ),
        (
            "The weather in Oslo tomorrow, in fahrenheit",
            [_function("weather", city=_TEXT, day=_TEXT, unit=_UNIT)],
            [{"city": "Oslo", "day": "tomorrow", "unit": "fahrenheit"}],
        ),
        ("\u676d\u5dde\u5929\u6c14", [WEATHER], [{"location": "\u676d\u5dde"}]),
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
        ("Book a table for Ada", [_REF], [{"guest": {"name": "Ada", "count": 2}}]),
        ("What time is it?", [_function("clock", "The time now")], [{}]),
        ("Tell me a joke", [WEATHER], None),
        ("Hello!", [_function("search", query=_TEXT)], None),
    ],
)
def test_arguments_come_from_the_question(client, question, tools, calls):
    message = _ask(client, question, tools=tools).choices[0].message
    said = [json.loads(c.function.arguments) for c in message.tool_calls or []]
    assert said == (calls or [])


@pytest.mark.parametrize(
    "choice", ["required", {"type": "function", "function": {"name": "get_weather"}}]
)
def test_a_demanded_call_is_made_whatever_was_said(client, choice):
    completion = _plain(client, "Hello", tools=[WEATHER], tool_choice=choice)
    (call,) = completion.choices[0].message.tool_calls
    assert (call.function.name, call.function.arguments) == (
        "get_weather",
        '{"location": "Hello"}',
    )


def test_no_tool_is_called_if_none_may_be(client):
    message = (
        _ask(client, _CITIES, tools=[WEATHER], tool_choice="none").choices[0].message
    )
    assert message.tool_calls is None


def test_without_thinking_there_is_a_word_before_the_call(client):
    message = _plain(client, _CITIES, tools=[WEATHER]).choices[0].message
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
def test_the_answer_is_made_of_the_results(client, results, answer):
    asked = _ask(client, _CITIES, tools=[WEATHER]).choices[0].message
    history = [_CITIES, asked.model_dump(exclude_none=True)]
    history += [
        {"role": "tool", "tool_call_id": call.id, "content": result}
        for call, result in zip(asked.tool_calls, results, strict=True)
    ]
    completion = _ask(client, *history, tools=[WEATHER])
    assert completion.choices[0].finish_reason == "stop"
    assert _said(completion) == answer


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        ("5", "The result: 5."),
        ('{"total": 5, "exact": true}', "Total is 5 and exact is yes."),
        ('["a", "b"]', "`add` found a and b."),
        ("The two numbers make five.", "The two numbers make five."),
    ],
)
def test_any_result_becomes_a_sentence(client, result, answer):
    tool = _function("add", a=_NUMBER, b=_NUMBER)
    question = {"role": "user", "content": "2 + 3"}
    asked = _ask(client, question, tools=[tool]).choices[0].message
    answered = {
        "role": "tool",
        "tool_call_id": asked.tool_calls[0].id,
        "content": result,
    }
    history = [question, asked.model_dump(exclude_none=True), answered]
    assert _said(_ask(client, *history, tools=[tool])) == answer


def test_json_mode_gives_question_and_answer(client):
    question = "What is the capital of Japan? Answer in JSON."
    completion = _plain(client, question, response_format={"type": "json_object"})
    assert json.loads(_said(completion)) == {
        "question": question,
        "answer": "The capital of Japan is Tokyo.",
    }


def test_json_mode_follows_the_example_in_the_prompt(client):
    system = 'Answer in JSON like {"city": "Rome", "days": 1, "answer": "x", "k": {}}.'
    completion = _plain(
        client,
        {"role": "system", "content": system},
        "What is the capital of Japan, 3 days from Kyoto?",
        response_format={"type": "json_object"},
    )
    assert json.loads(_said(completion)) == {
        "city": "Japan",
        "days": 3,
        "answer": "The capital of Japan is Tokyo.",
        "k": {},
    }


def test_max_tokens_can_end_the_reasoning(client):
    completion = _ask(client, "Why is the sky blue?", max_tokens=9)
    (choice,) = completion.choices
    assert (choice.finish_reason, choice.message.content) == ("length", "")
    assert choice.message.reasoning_content
    assert completion.usage.completion_tokens == 9
    assert completion.usage.completion_tokens_details.reasoning_tokens == 9


def test_max_tokens_can_end_a_tool_call(client):
    whole = _ask(client, _CITIES, tools=[WEATHER]).usage.completion_tokens
    choice = _ask(client, _CITIES, tools=[WEATHER], max_tokens=whole - 2).choices[0]
    assert choice.finish_reason == "length"
    arguments = [call.function.arguments for call in choice.message.tool_calls]
    assert json.loads(arguments[0]) == {"location": "Hangzhou"}
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(arguments[1])


def test_max_completion_tokens_is_ignored(client):
    completion = _ask(client, "Why is the sky blue?", max_completion_tokens=2)
    assert completion.choices[0].finish_reason == "stop"


@pytest.mark.parametrize("stop", ["help", ["today", "help"]])
def test_a_stop_string_ends_the_answer_and_is_counted(client, stop):
    completion = _plain(client, "Hi", stop=stop)
    assert completion.choices[0].finish_reason == "stop"
    assert _said(completion) == "Hello! How can I "
    whole = _plain(client, "Hi").usage.completion_tokens
    assert 0 < completion.usage.completion_tokens < whole


def test_a_stop_string_does_not_end_the_reasoning(client):
    message = _ask(client, "Hi", stop="greeting").choices[0].message
    assert "greeting" in message.reasoning_content
    assert message.content == "Hello! How can I help you today?"


def test_a_prefix_is_continued(beta, samples):
    request = json.loads((samples / "request_prefix_beta.json").read_bytes())["body"]
    thinking = request.pop("thinking")
    completion = beta.chat.completions.create(
        **request, extra_body={"thinking": thinking}
    )
    assert completion.model == "deepseek-v4-pro"
    assert _said(completion).startswith("def quick_sort(items):\n")
    assert "```" not in _said(completion)


def test_a_prefix_leaves_no_room_for_reasoning(beta):
    prefix = {"role": "assistant", "content": "Well,", "prefix": True}
    completion = _ask(beta, "Hi", prefix)
    assert _said(completion) == " Hello! How can I help you today?"
    assert not hasattr(completion.choices[0].message, "reasoning_content")
    assert completion.usage.completion_tokens_details.reasoning_tokens == 0


def test_fim_fills_in_the_middle(client, beta):
    completion = beta.completions.create(
        model="deepseek-v4-pro",
        prompt="def fib(a):",
        suffix="    return fib(a-1) + fib(a-2)",
    )
    assert completion.choices[0].text == "\n    if a <= 1:\n        return a\n"
    assert completion.usage.prompt_cache_hit_tokens == 0
    with pytest.raises(openai.BadRequestError) as error:
        client.completions.create(model="deepseek-v4-pro", prompt="x")
    assert error.value.body.startswith("completions api is only available when using")


def test_strict_tools_work_on_the_beta_base(beta, samples):
    request = json.loads((samples / "request_strict_tools_beta.json").read_bytes())
    completion = beta.chat.completions.create(**request["body"])
    assert completion.choices[0].finish_reason == "tool_calls"


def test_a_retired_name_is_answered_by_the_model_that_serves_it(client):
    assert _plain(client, HI, model="deepseek-v4-flash").model == "deepseek-flash"


def test_models_and_balance(client):
    models = client.models.list().data
    assert [model.id for model in models] == ["deepseek-flash", "deepseek-v4-pro"]
    assert client.models.retrieve("deepseek-v4-pro").context_window == 1_048_576
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-4o")
    assert client.get("/user/balance", cast_to=object)["is_available"] is True
