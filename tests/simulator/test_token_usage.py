"""Token counts and the prompt cache."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from examples.simulator._prompt_cache import BLOCK_SIZE, PromptCache
from examples.simulator._tokenizer import tokenize
from tests.simulator.http_requests import (
    GREETING,
    THINKING_DISABLED,
    WEATHER_TOOL,
    send_chat,
)

_HTTP_SETTINGS = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
# All text that UTF-8 can encode, so without surrogates.
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)


@given(_TEXT)
def test_joined_tokens_equal_text(text):
    assert "".join(tokenize(text)) == text


@given(_TEXT, _TEXT)
def test_longer_text_has_at_least_as_many_tokens(text, more):
    assert len(tokenize(text)) <= len(tokenize(text + more))


def _common_prefix(first, second):
    pairs = zip(first, second, strict=False)
    return [a for a, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)]


_PROMPT = st.lists(st.sampled_from("abc"), max_size=5 * BLOCK_SIZE)


@given(st.lists(_PROMPT, max_size=6), _PROMPT, _PROMPT)
def test_cache_hit_is_longest_cached_prefix_in_whole_blocks(other_prompts, start, end):
    cache = PromptCache()
    for prompt in [*other_prompts, start]:
        cache.hit("owner", prompt)
    prompt = start + end
    prefix_length = max(
        len(_common_prefix(cached, prompt)) for cached in [*other_prompts, start]
    )
    max_hit = min(prefix_length, max(len(prompt) - 1, 0))
    assert cache.hit("other owner", prompt) == 0
    assert cache.hit("owner", prompt) == max_hit // BLOCK_SIZE * BLOCK_SIZE


def test_last_token_is_never_a_cache_hit():
    cache = PromptCache()
    prompt = ["a"] * 2 * BLOCK_SIZE
    assert [cache.hit("owner", prompt) for _ in range(2)] == [0, BLOCK_SIZE]


def test_cache_evicts_oldest_blocks_first():
    cache = PromptCache(max_blocks=2)
    prompts = [[letter] * (BLOCK_SIZE + 1) for letter in "abc"]
    assert [cache.hit("owner", p) for p in prompts] == [0, 0, 0]
    assert [cache.hit("owner", p) for p in reversed(prompts)] == [
        BLOCK_SIZE,
        BLOCK_SIZE,
        0,
    ]


def _check_usage(usage):
    hit, miss = usage["prompt_cache_hit_tokens"], usage["prompt_cache_miss_tokens"]
    assert usage["prompt_tokens"] == hit + miss
    assert usage["prompt_tokens_details"] == {"cached_tokens": hit}
    completion = usage["completion_tokens"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + completion
    reasoning = usage.get("completion_tokens_details", {}).get("reasoning_tokens", 0)
    assert 0 <= reasoning <= completion
    assert hit % BLOCK_SIZE == 0
    assert miss > 0
    return usage


_MESSAGES = st.lists(
    st.builds(
        lambda role, content: {"role": role, "content": content},
        st.sampled_from(["system", "user", "assistant"]),
        _TEXT,
    ),
    min_size=1,
    max_size=5,
)
_FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "thinking": st.sampled_from([THINKING_DISABLED, {"type": "enabled"}]),
        "tools": st.just([WEATHER_TOOL]),
        "max_tokens": st.integers(1, 60),
        "stop": st.sampled_from(["a", ["e", "the"]]),
        "stream": st.booleans(),
        "logprobs": st.booleans(),
    },
)


@_HTTP_SETTINGS
@given(_MESSAGES, _FIELDS)
def test_usage_adds_up_for_any_request(simulator, messages, fields):
    response = send_chat(simulator.base_url, *messages, **fields)
    usage = (response.events[-1] if fields.get("stream") else response.json)["usage"]
    _check_usage(usage)
    assert usage["completion_tokens"] <= fields.get("max_tokens", 10_000)
    assert simulator.exchanges[-1].usage == usage
    assert ("completion_tokens_details" in usage) == (
        fields.get("thinking") != THINKING_DISABLED
    )


@_HTTP_SETTINGS
@given(_MESSAGES, _TEXT)
def test_repeated_request_is_a_cache_hit(simulator, messages, user_id):
    first = _check_usage(
        send_chat(simulator.base_url, *messages, user_id=user_id).json["usage"]
    )
    second = _check_usage(
        send_chat(simulator.base_url, *messages, user_id=user_id).json["usage"]
    )
    assert second["prompt_tokens"] == first["prompt_tokens"]
    assert second["prompt_cache_hit_tokens"] == (first["prompt_tokens"] - 1) // 64 * 64


def test_next_turn_hits_cached_prompt_and_response(simulator):
    question = {"role": "user", "content": "What is the weather in Hangzhou?"}
    first = send_chat(simulator.base_url, question, tools=[WEATHER_TOOL]).json
    assistant_message = first["choices"][0]["message"]
    result = {"role": "tool", "content": "24C"}
    result["tool_call_id"] = assistant_message["tool_calls"][0]["id"]
    usage = first["usage"]
    second = send_chat(
        simulator.base_url, question, assistant_message, result, tools=[WEATHER_TOOL]
    ).json["usage"]
    first_total = usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["prompt_cache_hit_tokens"] == 0
    assert second["prompt_cache_hit_tokens"] == first_total // 64 * 64
    assert second["prompt_tokens"] > first_total


@pytest.mark.parametrize(
    "changed_field",
    [{"user_id": "b"}, {"model": "deepseek-v4-pro"}, {"reasoning_effort": "max"}],
    ids=str,
)
def test_cache_is_not_shared_between_users_models_and_efforts(simulator, changed_field):
    send_chat(simulator.base_url, user_id="a")
    assert send_chat(simulator.base_url, user_id="a").json["usage"][
        "prompt_cache_hit_tokens"
    ]
    usage = send_chat(simulator.base_url, **{"user_id": "a", **changed_field}).json[
        "usage"
    ]
    assert usage["prompt_cache_hit_tokens"] == 0


def test_short_prompts_have_token_counts_of_samples(simulator):
    usage = send_chat(simulator.base_url, thinking=THINKING_DISABLED).json["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (5, 9)
    usage = send_chat(simulator.base_url).json["usage"]
    assert usage["prompt_tokens"] == 5 + 79


def test_completion_tokens_are_reasoning_end_marker_and_answer(simulator):
    body = send_chat(simulator.base_url, logprobs=True).json
    logprobs = body["choices"][0]["logprobs"]
    reasoning, answer = len(logprobs["reasoning_content"]), len(logprobs["content"])
    assert body["usage"]["completion_tokens_details"] == {"reasoning_tokens": reasoning}
    assert body["usage"]["completion_tokens"] == reasoning + 1 + answer


def test_tools_and_images_cost_tokens(simulator):
    plain = send_chat(simulator.base_url).json["usage"]["prompt_tokens"]
    tools = send_chat(simulator.base_url, tools=[WEATHER_TOOL]).json["usage"][
        "prompt_tokens"
    ]
    image = {"type": "image_url", "image_url": {"url": "data:,", "detail": "low"}}
    message = {"role": "user", "content": [image, {"type": "text", "text": "Hi"}]}
    images = send_chat(simulator.base_url, message).json["usage"]["prompt_tokens"]
    assert tools > plain + 200
    assert images > plain + 60


def test_past_reasoning_counts_only_with_tools(simulator):
    answer = {"role": "assistant", "content": "A", "reasoning_content": "B " * 50}
    counts = {
        (bool(tools), bool(reasoning)): send_chat(
            simulator.base_url,
            GREETING,
            answer if reasoning else {**answer, "reasoning_content": None},
            GREETING,
            tools=tools,
        ).json["usage"]["prompt_tokens"]
        for tools in ([], [WEATHER_TOOL])
        for reasoning in (True, False)
    }
    assert counts[False, True] == counts[False, False]
    assert counts[True, True] > counts[True, False] + 50
