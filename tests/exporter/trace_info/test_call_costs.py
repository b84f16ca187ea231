"""A span around calls has the cost of the calls."""

from __future__ import annotations

import json

import pytest

from opentelemetry.exporter.mlflow._pricing._call_cost import CallCost
from opentelemetry.exporter.mlflow._trace_info._call_costs import CallCosts

KNOWN = CallCost("deepseek-flash", 1.0, 2.0, 3.0, is_known=True)
UNKNOWN = CallCost("deepseek-v9")
TOKENS = {"mlflow.chat.tokenUsage": "{}", "mlflow.llm.model": "m"}


def costs_around(attributes, *calls, cost=None, has_others=False, is_fluent=False):
    """The attributes of a span around the calls, and the total."""
    costs = CallCosts(has_others=has_others)
    for call in calls:
        costs.add(CallCosts(call))
    attributes = dict(attributes)
    costs.add_enclosing_span(attributes, cost, is_fluent=is_fluent)
    return attributes, costs


def total_cost(attributes):
    return json.loads(attributes["mlflow.llm.cost"])["total_cost"]


def test_span_with_tokens_has_the_sum_of_the_calls():
    attributes, costs = costs_around(TOKENS, KNOWN, UNKNOWN, KNOWN)
    assert total_cost(attributes) == 6.0
    assert attributes["mlflow.llm.model"] == "m"
    assert costs.cost is not None
    assert costs.cost.total == 6.0


@pytest.mark.parametrize(
    "attributes",
    [
        {"llm.token_count.prompt": 1},
        {"gen_ai.usage.prompt_tokens": 1},
        {"llm.usage.total_tokens": 1},
    ],
    ids=str,
)
def test_tokens_of_other_conventions_count(attributes):
    assert total_cost(costs_around(attributes, KNOWN)[0]) == 3.0


def test_span_without_tokens_is_not_changed():
    assert costs_around({"a": 1}, KNOWN)[0] == {"a": 1}


def test_span_around_unpriced_calls_has_no_cost():
    attributes, _ = costs_around(TOKENS, UNKNOWN)
    assert attributes == TOKENS | {"mlflow.llm.model": "m (no price)"}


def test_cost_of_the_calls_replaces_that_of_the_price_list():
    attributes = {"gen_ai.usage.input_tokens": 1}
    UNKNOWN.write_to(attributes)
    attributes, costs = costs_around(attributes, KNOWN, cost=UNKNOWN)
    assert total_cost(attributes) == 3.0
    assert attributes["mlflow.llm.model"] == "deepseek-v9"
    assert costs.cost == KNOWN


def test_cost_of_the_user_is_kept_but_not_that_of_mlflows_client():
    given = TOKENS | {"mlflow.llm.cost": '{"total_cost": 9.0}'}
    assert total_cost(costs_around(given, KNOWN)[0]) == 9.0
    assert total_cost(costs_around(given, KNOWN, is_fluent=True)[0]) == 3.0


def test_span_around_calls_of_several_providers_leaves_the_sum_to_mlflow():
    attributes, _ = costs_around(TOKENS, KNOWN, has_others=True)
    assert attributes == TOKENS | {"mlflow.llm.model": "m (no price)"}


def test_call_of_another_provider_is_remembered_for_the_spans_above():
    assert costs_around(TOKENS)[1] == CallCosts(has_others=True)
    assert costs_around({})[1] == CallCosts()
    assert costs_around(TOKENS, cost=KNOWN, has_others=True)[1] == CallCosts(KNOWN)
