"""The tokens of a call, and the model that answered, make its cost."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .calls import PEAK, call, cost, ours, total, without


def test_hits_misses_and_answers_are_priced_apart_and_reasoning_is_answer():
    # 0.6 at 0.003, 0.4 at 0.15; 0.1 at 0.60
    assert cost(call()) == {
        "input_cost": 0.0618,
        "output_cost": 0.06,
        "total_cost": 0.1218,
    }


def test_a_price_is_exact_to_the_last_token():
    tokens = {
        "gen_ai.usage.input_tokens": 1_048_573,
        "gen_ai.usage.cache_read.input_tokens": 7,
        "gen_ai.usage.output_tokens": 393_211,
    }
    asked = (7 * Fraction("0.044") + 1_048_566 * Fraction("1.32")) / 1_000_000
    answered = 393_211 * Fraction("3.96") / 1_000_000
    assert cost(call("deepseek-v4-pro") | tokens, PEAK) == {
        "input_cost": float(asked),
        "output_cost": float(answered),
        "total_cost": float(asked + answered),
    }


def test_the_model_that_answered_goes_before_the_one_asked_for():
    renamed = call(**{"gen_ai.request.model": "deepseek-v4-pro"})
    assert total(renamed) == 0.1218
    assert total(without(renamed, "gen_ai.response.model")) == total(
        call("deepseek-v4-pro")
    )
    # Another model served it, at who knows what price.
    assert cost(call(**{"gen_ai.response.model": "deepseek-v9"})) is None


ZEROS = ["gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.output_tokens"]


@pytest.mark.parametrize("name", ZEROS)
def test_a_count_that_is_absent_is_zero(name):
    assert cost(without(call(), name)) == cost(call() | {name: 0})


def test_without_any_usage_there_is_nothing_to_say():
    names = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
    assert cost(without(call(), *names)) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"gen_ai.usage.cache_read.input_tokens": 1_000_001},
        {"gen_ai.usage.cache_read.input_tokens": -1},
        {"gen_ai.usage.output_tokens": -1},
        {"gen_ai.usage.output_tokens": "100"},
        {"gen_ai.usage.output_tokens": 1.5},
        {"gen_ai.usage.output_tokens": True},
        {"gen_ai.usage.output_tokens": 10**400},
        {"gen_ai.usage.input_tokens": 10**400},
    ],
    ids=str,
)
def test_counts_that_cannot_be_right_have_no_cost(wrong):
    assert cost(call() | wrong) == {}


def test_a_span_that_never_began_has_no_cost():
    assert ours().cost(call(), None) == "{}"


NAMES = sorted({*call(), "gen_ai.system"})
VALUES = st.one_of(
    st.integers(),
    st.floats(),
    st.booleans(),
    st.text(),
    st.none(),
    st.binary(),
    st.lists(st.text()).map(tuple),
    st.sampled_from(["deepseek", "deepseek-flash", "api.deepseek.com"]),
)


@given(
    st.dictionaries(st.sampled_from(NAMES), VALUES),
    st.none() | st.integers(0, 2**63),
)
def test_nothing_in_a_span_makes_it_raise(attributes, start):
    said = ours().cost(call() | attributes, start)
    assert said is None or json.loads(said).keys() in (
        set(),
        {"input_cost", "output_cost", "total_cost"},
    )
