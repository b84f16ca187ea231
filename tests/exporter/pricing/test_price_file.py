"""A price list of the user."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from opentelemetry.exporter.mlflow import MlflowSpanExporter

from .calls import PEAK, VARIABLE, call, cost, total_cost


def test_custom_prices_of_a_model_replace_all_bundled_ones(load_custom_prices):
    prices = load_custom_prices(
        """
        [[prices]]
        models = ["deepseek-flash", "deepseek-v5"]
        from = 2026-12-01T00:00:00Z
        currency = "USD"
        cache_hit = 1
        cache_miss = 10
        output = 100.0
        """
    )
    later = "2026-12-01T02:00:00+00:00"
    assert cost(call(), later, prices) == {
        "input_cost": 4.6,
        "output_cost": 10.0,
        "total_cost": 14.6,
    }
    assert total_cost(call("deepseek-v5"), later, prices) == 14.6
    assert cost(call(), PEAK, prices) == {}
    assert total_cost(call("deepseek-v4-flash"), PEAK, prices) == 0.2436


PRICE = """
[[prices]]
models = ["m"]
from = 2026-09-10T00:00:00Z
currency = "USD"
cache_hit = 0.003
cache_miss = 0.15
output = 0.60
"""
WINDOW = """
[windows.w]
offset = "+08:00"
times = [[09:00:00, 12:00:00]]
"""
TOOL = """
[[tools]]
tools = ["web_search"]
from = 2026-11-01T00:00:00Z
currency = "USD"
"""

INVALID_FILES = {
    "invalid TOML": (
        "hosts = [",
        snapshot("Invalid value (at end of document)"),
    ),
    "hosts without a list": (
        'hosts = "a"',
        snapshot("line 1: hosts must be a list of strings"),
    ),
    "host without quotes": (
        "hosts = [1]",
        snapshot("line 1: hosts must be a list of strings"),
    ),
    "unknown key": (
        '\nhost = ["a"]',
        snapshot(
            "line 2: unknown key 'host'; must be one of hosts, prices, tools, windows"
        ),
    ),
    "price without a table": (
        "prices = [1]",
        snapshot("line 1: must be a table"),
    ),
    "prices without a list": (
        "prices = {}",
        snapshot("line 1: prices must be an array of tables, [[prices]]"),
    ),
    "misspelled key": (
        PRICE.replace("cache_hit", "cache_hits"),
        snapshot(
            "line 6: unknown key 'cache_hits'; must be one of models, from, until, "
            "currency, cache_hit, cache_miss, output, peak, source"
        ),
    ),
    "missing key": (
        PRICE.replace("output = 0.60", ""),
        snapshot(
            "line 2: output must be a number of USD per million tokens, for example "
            "0.15"
        ),
    ),
    "missing key in the first price": (
        PRICE.replace("output = 0.60", "") + PRICE,
        snapshot(
            "line 2: output must be a number of USD per million tokens, for example "
            "0.15"
        ),
    ),
    "price in quotes": (
        PRICE + PRICE.replace("0.15", '"0.15"'),
        snapshot(
            "line 15: cache_miss must be a number of USD per million tokens, for "
            "example 0.15"
        ),
    ),
    "negative price": (
        PRICE.replace("0.15", "-0.15"),
        snapshot(
            "line 7: cache_miss must be a number of USD per million tokens, for "
            "example 0.15"
        ),
    ),
    "excessive price": (
        PRICE.replace("0.15", "1e300"),
        snapshot(
            "line 7: cache_miss must be a number of USD per million tokens, for "
            "example 0.15"
        ),
    ),
    "indented line": (
        PRICE.replace("\n", "\n  ").replace("0.15", "-1"),
        snapshot(
            "line 7: cache_miss must be a number of USD per million tokens, for "
            "example 0.15"
        ),
    ),
    "boolean price": (
        PRICE.replace("0.15", "true"),
        snapshot(
            "line 7: cache_miss must be a number of USD per million tokens, for "
            "example 0.15"
        ),
    ),
    "NaN": (
        PRICE.replace("0.15", "nan"),
        snapshot(
            "line 7: cache_miss must be a number of USD per million tokens, for "
            "example 0.15"
        ),
    ),
    "other currency": (
        PRICE.replace("USD", "CNY"),
        snapshot('line 5: currency must be "USD", as in MLflow'),
    ),
    "time without offset": (
        PRICE.replace("00Z", "00"),
        snapshot(
            "line 4: from must be a time with an offset, for example "
            "2026-09-10T00:00:00+08:00"
        ),
    ),
    "date without time": (
        PRICE.replace("T00:00:00Z", ""),
        snapshot(
            "line 4: from must be a time with an offset, for example "
            "2026-09-10T00:00:00+08:00"
        ),
    ),
    "models without a list": (
        PRICE.replace('["m"]', '"m"'),
        snapshot("line 3: models must be a list of strings"),
    ),
    "until before from": (
        PRICE + "until = 2026-09-09T00:00:00Z",
        snapshot("line 9: until must be later than from"),
    ),
    "overlapping periods": (
        PRICE + PRICE,
        snapshot("line 11: m has another price in this period"),
    ),
    "source without quotes": (
        PRICE + "source = 1",
        snapshot("line 9: source must be the URL of the page with the price"),
    ),
    "peak without a table": (
        PRICE + "peak = 2",
        snapshot("line 9: peak must be a table with a window and its prices"),
    ),
    "unknown window": (
        PRICE + 'peak = { window = "w", cache_hit = 1, cache_miss = 1, output = 1 }',
        snapshot("line 9: peak: window must be one of daily, workdays"),
    ),
    "peak without window": (
        PRICE + "peak = { cache_hit = 1, cache_miss = 1, output = 1 }",
        snapshot("line 9: peak: window must be one of daily, workdays"),
    ),
    "peak without prices": (
        PRICE + 'peak = { window = "daily", output = 1 }',
        snapshot(
            "line 9: peak: cache_hit must be a number of USD per million tokens, for "
            "example 0.15"
        ),
    ),
    "offset as a name": (
        WINDOW.replace("+08:00", "Asia/Shanghai"),
        snapshot(
            "line 3: offset must be an offset from UTC in hours and minutes, for "
            'example "+08:00"'
        ),
    ),
    "times backwards": (
        WINDOW.replace("12:00:00", "08:00:00"),
        snapshot(
            "line 4: times must be a list of pairs of times of one day, for example "
            "[[09:00:00, 12:00:00]]"
        ),
    ),
    "long weekday": (
        WINDOW + 'weekdays = ["Monday"]',
        snapshot(
            "line 5: weekdays must be a list of Mon, Tue, Wed, Thu, Fri, Sat, Sun"
        ),
    ),
    "holiday in quotes": (
        WINDOW + 'holidays = ["2026-10-01"]',
        snapshot("line 5: holidays must be a list of dates, for example [2026-10-01]"),
    ),
    "tools without a list": (
        "tools = 3",
        snapshot("line 1: tools must be an array of tables, [[tools]]"),
    ),
    "wrong price of a tool": (
        TOOL + "per_thousand_requests = -1",
        snapshot(
            "line 6: per_thousand_requests must be a number of USD per thousand "
            "requests, for example 0.75"
        ),
    ),
    "unknown key of a tool": (
        TOOL + "price = 1",
        snapshot(
            "line 6: unknown key 'price'; must be one of tools, from, until, currency, "
            "per_thousand_requests, source"
        ),
    ),
    "unknown key of a window": (
        WINDOW + "zone = 8",
        snapshot(
            "line 5: unknown key 'zone'; must be one of offset, times, weekdays, "
            "holidays"
        ),
    ),
}


@pytest.mark.parametrize(("text", "message"), INVALID_FILES.values(), ids=INVALID_FILES)
def test_invalid_file_raises_with_its_line(monkeypatch, tmp_path, text, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "custom.toml").write_text(text)
    monkeypatch.setenv(VARIABLE, "custom.toml")
    with pytest.raises(ValueError, match=VARIABLE) as error:
        MlflowSpanExporter(tracking_uri="http://127.0.0.1:9")
    actual = str(error.value).removeprefix(f"{VARIABLE}: custom.toml").lstrip(":, ")
    assert actual == message


def test_unreadable_file_raises(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="argument prices must be the path"):
        MlflowSpanExporter(tracking_uri="http://127.0.0.1:9", prices="missing.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff")
    monkeypatch.setenv(VARIABLE, "binary.toml")
    with pytest.raises(ValueError, match=f"{VARIABLE} must be the path"):
        MlflowSpanExporter(tracking_uri="http://127.0.0.1:9")
