"""Token counts: they add up, and the prompt cache remembers."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from examples.simulator._prompt_cache import BLOCK, PromptCache
from examples.simulator._tokenizer import tokens
from tests.simulator.http_requests import HI, OFF, WEATHER, chat

_HTTP = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
# Everything that JSON can hold and UTF-8 can carry.
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)


@given(_TEXT)
def test_tokens_joined_are_the_text(text):
    assert "".join(tokens(text)) == text


@given(_TEXT, _TEXT)
def test_a_longer_text_has_no_fewer_tokens(text, more):
    assert len(tokens(text)) <= len(tokens(text + more))


def _common(one, other):
    """How they begin alike."""
    pairs = zip(one, other, strict=False)
    return [a for a, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)]


_PROMPT = st.lists(st.sampled_from("abc"), max_size=5 * BLOCK)


@given(st.lists(_PROMPT, max_size=6), _PROMPT, _PROMPT)
def test_a_hit_is_the_longest_known_beginning_in_whole_blocks(before, start, end):
    cache = PromptCache()
    for prompt in [*before, start]:
        cache.hit("me", prompt)
    prompt = start + end
    known = max(len(_common(one, prompt)) for one in [*before, start])
    allowed = min(known, max(len(prompt) - 1, 0))
    assert cache.hit("somebody else", prompt) == 0
    assert cache.hit("me", prompt) == allowed // BLOCK * BLOCK


def test_something_is_always_left_to_compute():
    cache = PromptCache()
    prompt = ["a"] * 2 * BLOCK
    assert [cache.hit("me", prompt) for _ in range(2)] == [0, BLOCK]


def test_the_cache_forgets_the_oldest_first():
    cache = PromptCache(blocks=2)
    prompts = [[letter] * (BLOCK + 1) for letter in "abc"]
    assert [cache.hit("me", p) for p in prompts] == [0, 0, 0]
    assert [cache.hit("me", p) for p in reversed(prompts)] == [BLOCK, BLOCK, 0]


def _adds_up(usage):
    hit, miss = usage["prompt_cache_hit_tokens"], usage["prompt_cache_miss_tokens"]
    assert usage["prompt_tokens"] == hit + miss
    assert usage["prompt_tokens_details"] == {"cached_tokens": hit}
    completion = usage["completion_tokens"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + completion
    reasoning = usage.get("completion_tokens_details", {}).get("reasoning_tokens", 0)
    assert 0 <= reasoning <= completion
    assert hit % BLOCK == 0
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
        "thinking": st.sampled_from([OFF, {"type": "enabled"}]),
        "tools": st.just([WEATHER]),
        "max_tokens": st.integers(1, 60),
        "stop": st.sampled_from(["a", ["e", "the"]]),
        "stream": st.booleans(),
        "logprobs": st.booleans(),
    },
)


@_HTTP
@given(_MESSAGES, _FIELDS)
def test_usage_adds_up_whatever_is_asked(deepseek, messages, fields):
    answer = chat(deepseek.base_url, *messages, **fields)
    usage = (answer.events[-1] if fields.get("stream") else answer.json)["usage"]
    _adds_up(usage)
    assert usage["completion_tokens"] <= fields.get("max_tokens", 10_000)
    assert deepseek.exchanges[-1].usage == usage
    assert ("completion_tokens_details" in usage) == (fields.get("thinking") != OFF)


@_HTTP
@given(_MESSAGES, _TEXT)
def test_what_was_asked_before_is_a_hit(deepseek, messages, user_id):
    first = _adds_up(chat(deepseek.base_url, *messages, user_id=user_id).json["usage"])
    again = _adds_up(chat(deepseek.base_url, *messages, user_id=user_id).json["usage"])
    assert again["prompt_tokens"] == first["prompt_tokens"]
    assert again["prompt_cache_hit_tokens"] == (first["prompt_tokens"] - 1) // 64 * 64


def test_the_next_turn_finds_prompt_and_answer_in_the_cache(deepseek):
    question = {"role": "user", "content": "What is the weather in Hangzhou?"}
    first = chat(deepseek.base_url, question, tools=[WEATHER]).json
    answered = first["choices"][0]["message"]
    result = {"role": "tool", "content": "24C"}
    result["tool_call_id"] = answered["tool_calls"][0]["id"]
    usage = first["usage"]
    second = chat(deepseek.base_url, question, answered, result, tools=[WEATHER]).json[
        "usage"
    ]
    so_far = usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["prompt_cache_hit_tokens"] == 0
    assert second["prompt_cache_hit_tokens"] == so_far // 64 * 64
    assert second["prompt_tokens"] > so_far


@pytest.mark.parametrize(
    "other",
    [{"user_id": "b"}, {"model": "deepseek-v4-pro"}, {"reasoning_effort": "max"}],
    ids=str,
)
def test_nobody_elses_cache_is_hit(deepseek, other):
    chat(deepseek.base_url, user_id="a")
    assert chat(deepseek.base_url, user_id="a").json["usage"]["prompt_cache_hit_tokens"]
    usage = chat(deepseek.base_url, **{"user_id": "a", **other}).json["usage"]
    assert usage["prompt_cache_hit_tokens"] == 0


def test_short_prompts_cost_what_the_samples_cost(deepseek):
    usage = chat(deepseek.base_url, thinking=OFF).json["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (5, 9)
    usage = chat(deepseek.base_url).json["usage"]
    assert usage["prompt_tokens"] == 5 + 79


def test_a_completion_is_reasoning_its_end_and_the_answer(deepseek):
    whole = chat(deepseek.base_url, logprobs=True).json
    written = whole["choices"][0]["logprobs"]
    reasoning, answer = len(written["reasoning_content"]), len(written["content"])
    assert whole["usage"]["completion_tokens_details"] == {
        "reasoning_tokens": reasoning
    }
    assert whole["usage"]["completion_tokens"] == reasoning + 1 + answer


def test_tools_and_images_cost_tokens(deepseek):
    plain = chat(deepseek.base_url).json["usage"]["prompt_tokens"]
    tools = chat(deepseek.base_url, tools=[WEATHER]).json["usage"]["prompt_tokens"]
    image = {"type": "image_url", "image_url": {"url": "data:,", "detail": "low"}}
    message = {"role": "user", "content": [image, {"type": "text", "text": "Hi"}]}
    images = chat(deepseek.base_url, message).json["usage"]["prompt_tokens"]
    assert tools > plain + 200
    assert images > plain + 60


def test_past_reasoning_counts_only_where_tools_are_in_play(deepseek):
    answer = {"role": "assistant", "content": "A", "reasoning_content": "B " * 50}
    counts = {
        (bool(tools), bool(reasoning)): chat(
            deepseek.base_url,
            HI,
            answer if reasoning else {**answer, "reasoning_content": None},
            HI,
            tools=tools,
        ).json["usage"]["prompt_tokens"]
        for tools in ([], [WEATHER])
        for reasoning in (True, False)
    }
    assert counts[False, True] == counts[False, False]
    assert counts[True, True] > counts[True, False] + 50
