"""What the model says, asked through the openai SDK."""

from __future__ import annotations

import json

import openai
import pytest
from dirty_equals import IsStr
from inline_snapshot import snapshot

from tests.simulator.http_requests import HI
from tests.simulator.sdk_requests import ask, plain, said


@pytest.fixture
def beta(deepseek, client):
    return client.with_options(base_url=f"{deepseek.base_url}/beta")


def test_it_thinks_before_it_answers(client):
    message = ask(client, "How many r's in strawberry?").choices[0].message
    assert message.content == snapshot('The word "strawberry" contains **3** r\'s.')
    assert message.reasoning_content == snapshot(
        "We need to count the letter r in strawberry: s-t-r-a-w-b-e-r-r-y. It is at"
        " 3, 8, 9. So 3. A short answer will do."
    )


def test_without_thinking_there_is_no_reasoning(client):
    completion = plain(client, HI)
    assert said(completion) == snapshot("Hello! How can I help you today?")
    assert not hasattr(completion.choices[0].message, "reasoning_content")
    assert completion.usage.completion_tokens_details is None


def test_more_effort_is_more_thought(client):
    counts = [
        ask(client, "Why is the sky blue?", reasoning_effort=effort).usage
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
    assert said(plain(client, question)) == answer


def test_the_same_question_has_the_same_answer(client):
    assert said(ask(client, "Which database?")) == said(ask(client, "Which database?"))


def test_json_mode_gives_question_and_answer(client):
    question = "What is the capital of Japan? Answer in JSON."
    completion = plain(client, question, response_format={"type": "json_object"})
    assert json.loads(said(completion)) == {
        "question": question,
        "answer": "The capital of Japan is Tokyo.",
    }


def test_json_mode_follows_the_example_in_the_prompt(client):
    system = 'Answer in JSON like {"city": "Rome", "days": 1, "answer": "x", "k": {}}.'
    completion = plain(
        client,
        {"role": "system", "content": system},
        "What is the capital of Japan, 3 days from Kyoto?",
        response_format={"type": "json_object"},
    )
    assert json.loads(said(completion)) == {
        "city": "Japan",
        "days": 3,
        "answer": "The capital of Japan is Tokyo.",
        "k": {},
    }


def test_max_tokens_can_end_the_reasoning(client):
    completion = ask(client, "Why is the sky blue?", max_tokens=9)
    (choice,) = completion.choices
    assert (choice.finish_reason, choice.message.content) == ("length", "")
    assert choice.message.reasoning_content
    assert completion.usage.completion_tokens == 9
    assert completion.usage.completion_tokens_details.reasoning_tokens == 9


def test_max_completion_tokens_is_ignored(client):
    completion = ask(client, "Why is the sky blue?", max_completion_tokens=2)
    assert completion.choices[0].finish_reason == "stop"


@pytest.mark.parametrize("stop", ["help", ["today", "help"]])
def test_a_stop_string_ends_the_answer_and_is_counted(client, stop):
    completion = plain(client, "Hi", stop=stop)
    assert completion.choices[0].finish_reason == "stop"
    assert said(completion) == "Hello! How can I "
    whole = plain(client, "Hi").usage.completion_tokens
    assert 0 < completion.usage.completion_tokens < whole


def test_a_stop_string_does_not_end_the_reasoning(client):
    message = ask(client, "Hi", stop="greeting").choices[0].message
    assert "greeting" in message.reasoning_content
    assert message.content == "Hello! How can I help you today?"


def test_a_prefix_is_continued(beta, samples):
    request = json.loads((samples / "request_prefix_beta.json").read_bytes())["body"]
    thinking = request.pop("thinking")
    completion = beta.chat.completions.create(
        **request, extra_body={"thinking": thinking}
    )
    assert completion.model == "deepseek-v4-pro"
    assert said(completion).startswith("def quick_sort(items):\n")
    assert "```" not in said(completion)


def test_a_prefix_leaves_no_room_for_reasoning(beta):
    prefix = {"role": "assistant", "content": "Well,", "prefix": True}
    completion = ask(beta, "Hi", prefix)
    assert said(completion) == " Hello! How can I help you today?"
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
    assert plain(client, HI, model="deepseek-v4-flash").model == "deepseek-flash"


def test_models_and_balance(client):
    models = client.models.list().data
    assert [model.id for model in models] == ["deepseek-flash", "deepseek-v4-pro"]
    assert client.models.retrieve("deepseek-v4-pro").context_window == 1_048_576
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-4o")
    assert client.get("/user/balance", cast_to=object)["is_available"] is True
