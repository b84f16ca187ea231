"""Requests of DeepSeek's own tools are part of the cost of a call."""

from __future__ import annotations

import pytest

from .calls import call, cost, total_cost

SEARCHES = "deepseek.usage.web_search_requests"
FETCHES = "deepseek.usage.web_fetch_requests"


def test_requests_are_added_to_the_total():
    # USD 0.75 for a thousand.
    assert cost(call(**{SEARCHES: 100, FETCHES: 20})) == {
        "input_cost": 0.0618,
        "output_cost": 0.06,
        "total_cost": pytest.approx(0.1218 + 0.09),
    }


@pytest.mark.parametrize("count", [0, -1, 1.5, True, "1", None, 2**70])
def test_count_that_is_none_or_wrong_costs_nothing(count):
    assert total_cost(call(**{SEARCHES: count})) == 0.1218


def test_requests_were_free_before_november_2026():
    before = "2026-10-31T15:59:59+00:00"
    assert total_cost(call(**{SEARCHES: 100}), before) == total_cost(call(), before)
    first = "2026-10-31T16:00:00+00:00"
    assert total_cost(call(**{SEARCHES: 100}), first) == pytest.approx(
        total_cost(call(), first) + 0.075
    )


def test_requests_have_no_cost_without_a_price_of_the_model():
    assert cost(call("deepseek-v9", **{SEARCHES: 100})) == {}


def test_custom_price_of_a_tool_replaces_the_bundled_one(load_custom_prices):
    prices = load_custom_prices(
        """
        [[tools]]
        tools = ["web_search", "ocr"]
        from = 2026-01-01T00:00:00Z
        until = 2027-01-01T00:00:00Z
        currency = "USD"
        per_thousand_requests = 10
        """
    )
    tools = {SEARCHES: 100, FETCHES: 20, "deepseek.usage.ocr_requests": 1}
    expected = 0.1218 + 1 + 0.015 + 0.01
    assert total_cost(call(**tools), prices=prices) == pytest.approx(expected)


def test_name_of_the_request_does_not_matter():
    """DeepSeek serves Anthropic's names with its own models."""
    claude = call(**{"gen_ai.request.model": "claude-opus-4-8"})
    assert total_cost(claude) == 0.1218
