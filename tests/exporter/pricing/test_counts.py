"""The token counts of a call and the model of its response determine its cost."""

from __future__ import annotations

from fractions import Fraction
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.mlflow._pricing._call_cost import CallCost

from .calls import PEAK, bundled_prices, call, cost, total_cost, without


def test_cache_hits_cache_misses_and_output_have_their_own_prices():
    # Input: 0.6 at 0.003 and 0.4 at 0.15. Output with reasoning: 0.1 at 0.60.
    assert cost(call()) == {
        "input_cost": 0.0618,
        "output_cost": 0.06,
        "total_cost": 0.1218,
    }


def test_cost_is_exact_to_the_last_token():
    tokens = {
        "gen_ai.usage.input_tokens": 1_048_573,
        "gen_ai.usage.cache_read.input_tokens": 7,
        "gen_ai.usage.output_tokens": 393_211,
    }
    input_cost = (7 * Fraction("0.044") + 1_048_566 * Fraction("1.32")) / 1_000_000
    output_cost = 393_211 * Fraction("3.96") / 1_000_000
    assert cost(call("deepseek-v4-pro") | tokens, PEAK) == {
        "input_cost": float(input_cost),
        "output_cost": float(output_cost),
        "total_cost": float(input_cost + output_cost),
    }


def test_response_model_takes_precedence_over_request_model():
    other_request_model = call(**{"gen_ai.request.model": "deepseek-v4-pro"})
    assert total_cost(other_request_model) == 0.1218
    assert total_cost(
        without(other_request_model, "gen_ai.response.model")
    ) == total_cost(call("deepseek-v4-pro"))
    # The price of the model that served the call is unknown.
    assert cost(call(**{"gen_ai.response.model": "deepseek-v9"})) == {}


OPTIONAL_COUNTS = ["gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.output_tokens"]


@pytest.mark.parametrize("name", OPTIONAL_COUNTS)
def test_missing_count_is_zero(name):
    assert cost(without(call(), name)) == cost(call() | {name: 0})


def test_call_without_usage_gets_no_cost_attribute():
    names = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
    assert cost(without(call(), *names)) is None


@pytest.mark.parametrize(
    "count",
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
def test_invalid_count_gets_no_cost(count):
    assert cost(call() | count) == {}


def test_span_without_start_time_gets_no_cost():
    assert bundled_prices().cost(call(), None) == CallCost("deepseek-flash")


ATTRIBUTE_NAMES = sorted({*call(), "gen_ai.system"})
ATTRIBUTE_VALUES = st.one_of(
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
    st.dictionaries(st.sampled_from(ATTRIBUTE_NAMES), ATTRIBUTE_VALUES),
    st.none() | st.integers(0, 2**63),
)
def test_cost_never_raises(attributes, start):
    call_cost = bundled_prices().cost(call() | attributes, start)
    assert call_cost is None or all(isfinite(usd) for usd in call_cost[1:4])
