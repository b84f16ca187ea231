"""Chat and FIM completions through the openai SDK."""

from __future__ import annotations

import json

import openai
import pytest
from dirty_equals import IsStr
from inline_snapshot import snapshot

from tests.simulator.http_requests import GREETING
from tests.simulator.sdk_requests import (
    content_of,
    create_chat,
    create_chat_without_thinking,
)


@pytest.fixture
def beta_client(simulator, client):
    return client.with_options(base_url=f"{simulator.base_url}/beta")


def test_thinking_adds_reasoning_content(client):
    message = create_chat(client, "How many r's in strawberry?").choices[0].message
    assert message.content == snapshot('The word "strawberry" contains **3** r\'s.')
    assert message.reasoning_content == snapshot(
        "We need to count the letter r in strawberry: s-t-r-a-w-b-e-r-r-y. It is at"
        " 3, 8, 9. So 3. A short answer will do."
    )


def test_disabled_thinking_omits_reasoning(client):
    completion = create_chat_without_thinking(client, GREETING)
    assert content_of(completion) == snapshot("Hello! How can I help you today?")
    assert not hasattr(completion.choices[0].message, "reasoning_content")
    assert completion.usage.completion_tokens_details is None


def test_higher_effort_gives_more_reasoning_tokens(client):
    counts = [
        create_chat(client, "Why is the sky blue?", reasoning_effort=effort).usage
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
def test_known_questions_get_correct_answers(client, question, answer):
    assert content_of(create_chat_without_thinking(client, question)) == answer


def test_same_question_gets_same_answer(client):
    assert content_of(create_chat(client, "Which database?")) == content_of(
        create_chat(client, "Which database?")
    )


def test_json_mode_returns_question_and_answer(client):
    question = "What is the capital of Japan? Answer in JSON."
    completion = create_chat_without_thinking(
        client, question, response_format={"type": "json_object"}
    )
    assert json.loads(content_of(completion)) == {
        "question": question,
        "answer": "The capital of Japan is Tokyo.",
    }


def test_json_mode_follows_example_in_prompt(client):
    system = 'Answer in JSON like {"city": "Rome", "days": 1, "answer": "x", "k": {}}.'
    completion = create_chat_without_thinking(
        client,
        {"role": "system", "content": system},
        "What is the capital of Japan, 3 days from Kyoto?",
        response_format={"type": "json_object"},
    )
    assert json.loads(content_of(completion)) == {
        "city": "Japan",
        "days": 3,
        "answer": "The capital of Japan is Tokyo.",
        "k": {},
    }


def test_max_tokens_can_truncate_reasoning(client):
    completion = create_chat(client, "Why is the sky blue?", max_tokens=9)
    (choice,) = completion.choices
    assert (choice.finish_reason, choice.message.content) == ("length", "")
    assert choice.message.reasoning_content
    assert completion.usage.completion_tokens == 9
    assert completion.usage.completion_tokens_details.reasoning_tokens == 9


def test_max_completion_tokens_is_ignored(client):
    completion = create_chat(client, "Why is the sky blue?", max_completion_tokens=2)
    assert completion.choices[0].finish_reason == "stop"


@pytest.mark.parametrize("stop", ["help", ["today", "help"]])
def test_stop_string_ends_answer_and_counts_as_tokens(client, stop):
    completion = create_chat_without_thinking(client, "Hi", stop=stop)
    assert completion.choices[0].finish_reason == "stop"
    assert content_of(completion) == "Hello! How can I "
    untruncated_count = create_chat_without_thinking(
        client, "Hi"
    ).usage.completion_tokens
    assert 0 < completion.usage.completion_tokens < untruncated_count


def test_stop_string_does_not_end_reasoning(client):
    message = create_chat(client, "Hi", stop="greeting").choices[0].message
    assert "greeting" in message.reasoning_content
    assert message.content == "Hello! How can I help you today?"


def test_prefix_is_continued(beta_client, samples):
    request = json.loads((samples / "request_prefix_beta.json").read_bytes())["body"]
    thinking = request.pop("thinking")
    completion = beta_client.chat.completions.create(
        **request, extra_body={"thinking": thinking}
    )
    assert completion.model == "deepseek-v4-pro"
    assert content_of(completion).startswith("def quick_sort(items):\n")
    assert "```" not in content_of(completion)


def test_prefix_disables_reasoning(beta_client):
    prefix = {"role": "assistant", "content": "Well,", "prefix": True}
    completion = create_chat(beta_client, "Hi", prefix)
    assert content_of(completion) == " Hello! How can I help you today?"
    assert not hasattr(completion.choices[0].message, "reasoning_content")
    assert completion.usage.completion_tokens_details.reasoning_tokens == 0


def test_fim_completes_between_prompt_and_suffix(client, beta_client):
    completion = beta_client.completions.create(
        model="deepseek-v4-pro",
        prompt="def fib(a):",
        suffix="    return fib(a-1) + fib(a-2)",
    )
    assert completion.choices[0].text == "\n    if a <= 1:\n        return a\n"
    assert completion.usage.prompt_cache_hit_tokens == 0
    with pytest.raises(openai.BadRequestError) as error:
        client.completions.create(model="deepseek-v4-pro", prompt="x")
    assert error.value.body.startswith("completions api is only available when using")


def test_strict_tools_work_under_beta(beta_client, samples):
    request = json.loads((samples / "request_strict_tools_beta.json").read_bytes())
    completion = beta_client.chat.completions.create(**request["body"])
    assert completion.choices[0].finish_reason == "tool_calls"


def test_retired_model_name_is_served_by_current_model(client):
    assert (
        create_chat_without_thinking(client, GREETING, model="deepseek-v4-flash").model
        == "deepseek-flash"
    )


def test_models_and_balance_are_available(client):
    models = client.models.list().data
    assert [model.id for model in models] == ["deepseek-flash", "deepseek-v4-pro"]
    assert client.models.retrieve("deepseek-v4-pro").context_window == 1_048_576
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-4o")
    assert client.get("/user/balance", cast_to=object)["is_available"] is True
