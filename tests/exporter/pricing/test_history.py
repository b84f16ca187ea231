"""A call has the price of its day, and each price has a source."""

from __future__ import annotations

from fractions import Fraction

import pytest
from inline_snapshot import snapshot

from opentelemetry.exporter.mlflow._pricing._price_file import tomllib

from .calls import BUNDLED_FILE, call, cost

HISTORY = [
    ("deepseek-flash", "2026-11-20T12:00:00+00:00", (0.003, 0.15, 0.60)),
    ("deepseek-flash", "2026-11-20T02:00:00+00:00", (0.006, 0.30, 1.20)),
    ("deepseek-v4-flash", "2026-11-20T02:00:00+00:00", (0.006, 0.30, 1.20)),
    ("deepseek-v4-flash-vision-exp", "2026-11-20T02:00:00+00:00", (0.006, 0.30, 1.20)),
    ("deepseek-v4-pro", "2026-11-20T12:00:00+00:00", (0.022, 0.66, 1.98)),
    ("deepseek-v4-pro", "2026-11-20T02:00:00+00:00", (0.044, 1.32, 3.96)),
    # Before V4.1 Flash, and from its release on, at midnight in Beijing.
    ("deepseek-v4-flash", "2026-09-09T15:59:59+00:00", (0.007, 0.22, 0.66)),
    ("deepseek-v4-flash", "2026-09-09T16:00:00+00:00", (0.003, 0.15, 0.60)),
    ("deepseek-v4-flash", "2026-09-09T02:00:00+00:00", (0.014, 0.44, 1.32)),
    ("deepseek-flash", "2026-09-09T15:59:59+00:00", None),
    # Weekends have been off-peak since this Sunday. The Saturday before was not.
    ("deepseek-v4-flash", "2026-08-22T02:00:00+00:00", (0.014, 0.44, 1.32)),
    ("deepseek-v4-flash", "2026-08-23T02:00:00+00:00", (0.007, 0.22, 0.66)),
    ("deepseek-v4-pro", "2026-08-22T02:00:00+00:00", (0.044, 1.32, 3.96)),
    ("deepseek-v4-pro", "2026-08-23T02:00:00+00:00", (0.022, 0.66, 1.98)),
    # Peak prices were introduced on this evening.
    ("deepseek-v4-pro", "2026-08-16T15:59:59+00:00", (0.003625, 0.435, 0.87)),
    ("deepseek-v4-pro", "2026-08-16T16:00:00+00:00", (0.022, 0.66, 1.98)),
    ("deepseek-v4-flash", "2026-08-16T15:59:59+00:00", (0.0028, 0.14, 0.28)),
    ("deepseek-v4-flash", "2026-06-01T02:00:00+00:00", (0.0028, 0.14, 0.28)),
    ("deepseek-v4-flash", "2026-04-26T12:14:59+00:00", (0.028, 0.14, 0.28)),
    ("deepseek-v4-pro", "2026-04-24T12:00:00+00:00", (0.145, 1.74, 3.48)),
    ("deepseek-v4-pro", "2026-04-25T12:00:00+00:00", None),
    ("deepseek-v4-flash", "2026-04-23T12:00:00+00:00", None),
    # Names of V3.2, then of V4 Flash, and then not served.
    ("deepseek-chat", "2026-01-15T02:00:00+00:00", (0.028, 0.28, 0.42)),
    ("deepseek-reasoner", "2026-04-23T23:59:59+00:00", (0.028, 0.28, 0.42)),
    ("deepseek-reasoner", "2026-04-24T12:00:00+00:00", None),
    ("deepseek-chat", "2026-04-25T12:00:00+00:00", (0.028, 0.14, 0.28)),
    ("deepseek-chat", "2026-07-24T15:59:59+00:00", (0.0028, 0.14, 0.28)),
    ("deepseek-chat", "2026-07-24T16:00:00+00:00", None),
    ("deepseek-chat", "2025-09-29T12:00:00+00:00", None),
]


@pytest.mark.parametrize(("model", "iso_time", "prices"), HISTORY)
def test_call_has_the_price_of_its_time(model, iso_time, prices):
    usage = {
        "gen_ai.usage.input_tokens": 2_000_000,
        "gen_ai.usage.cache_read.input_tokens": 1_000_000,
        "gen_ai.usage.output_tokens": 1_000_000,
    }
    result = cost(call(model) | usage, iso_time)
    if prices is None:
        assert result == {}
    else:
        hit, miss, output = (Fraction(str(price)) for price in prices)
        assert result == {
            "input_cost": float(hit + miss),
            "output_cost": float(output),
            "total_cost": float(hit + miss + output),
        }


def test_each_price_has_a_source():
    prices = tomllib.loads(BUNDLED_FILE.read_text("utf-8"))["prices"]
    assert {price["source"] for price in prices} == snapshot(
        {
            "https://api-docs.deepseek.com/quick_start/pricing",
            "https://api-docs.deepseek.com/news/news260424",
            "https://api-docs.deepseek.com/news/news250929",
        }
    )
