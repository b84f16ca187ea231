"""A file of prices of the user's own."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from opentelemetry.exporter.mlflow import MlflowSpanExporter

from .calls import PEAK, VARIABLE, call, cost, total


def test_a_model_that_a_newer_file_names_is_priced_by_it_alone(newer):
    prices = newer(
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
    assert total(call("deepseek-v5"), later, prices) == 14.6
    assert cost(call(), PEAK, prices) == {}
    assert total(call("deepseek-v4-flash"), PEAK, prices) == 0.2436


ROW = """
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

BAD = {
    "no toml": (
        "hosts = [",
        snapshot("Invalid value (at end of document)"),
    ),
    "hosts": (
        'hosts = "a"',
        snapshot("line 1: hosts takes a list of names"),
    ),
    "host": (
        "hosts = [1]",
        snapshot("line 1: hosts takes a list of names"),
    ),
    "unknown": (
        '\nhost = ["a"]',
        snapshot("line 2: there is no setting 'host'"),
    ),
    "no table": (
        "prices = [1]",
        snapshot("line 1: here is no table"),
    ),
    "no tables": (
        "prices = {}",
        snapshot("line 1: prices takes tables: [[prices]]"),
    ),
    "misspelt": (
        ROW.replace("cache_hit", "cache_hits"),
        snapshot("line 6: there is no setting 'cache_hits'"),
    ),
    "missing": (
        ROW.replace("output = 0.60", ""),
        snapshot("line 2: output takes USD per million tokens, as 0.15"),
    ),
    "missing in the first": (
        ROW.replace("output = 0.60", "") + ROW,
        snapshot("line 2: output takes USD per million tokens, as 0.15"),
    ),
    "text": (
        ROW + ROW.replace("0.15", '"0.15"'),
        snapshot("line 15: cache_miss takes USD per million tokens, as 0.15"),
    ),
    "negative": (
        ROW.replace("0.15", "-0.15"),
        snapshot("line 7: cache_miss takes USD per million tokens, as 0.15"),
    ),
    "too much": (
        ROW.replace("0.15", "1e300"),
        snapshot("line 7: cache_miss takes USD per million tokens, as 0.15"),
    ),
    "indented": (
        ROW.replace("\n", "\n  ").replace("0.15", "-1"),
        snapshot("line 7: cache_miss takes USD per million tokens, as 0.15"),
    ),
    "truth": (
        ROW.replace("0.15", "true"),
        snapshot("line 7: cache_miss takes USD per million tokens, as 0.15"),
    ),
    "not a number": (
        ROW.replace("0.15", "nan"),
        snapshot("line 7: cache_miss takes USD per million tokens, as 0.15"),
    ),
    "currency": (
        ROW.replace("USD", "CNY"),
        snapshot('line 5: currency takes "USD", which MLflow counts in'),
    ),
    "no offset": (
        ROW.replace("00Z", "00"),
        snapshot(
            "line 4: from takes a time with an offset, as 2026-09-10T00:00:00+08:00"
        ),
    ),
    "day": (
        ROW.replace("T00:00:00Z", ""),
        snapshot(
            "line 4: from takes a time with an offset, as 2026-09-10T00:00:00+08:00"
        ),
    ),
    "no models": (
        ROW.replace('["m"]', '"m"'),
        snapshot("line 3: models takes a list of names"),
    ),
    "backwards": (
        ROW + "until = 2026-09-09T00:00:00Z",
        snapshot("line 9: until takes a time after that of from"),
    ),
    "twice": (
        ROW + ROW,
        snapshot("line 11: m has another price then"),
    ),
    "source": (
        ROW + "source = 1",
        snapshot("line 9: source takes the address where the price stands"),
    ),
    "peak": (
        ROW + "peak = 2",
        snapshot("line 9: peak takes a window and its prices"),
    ),
    "window": (
        ROW + 'peak = { window = "w", cache_hit = 1, cache_miss = 1, output = 1 }',
        snapshot("line 9: peak: window takes one of the windows: daily, workdays"),
    ),
    "no window": (
        ROW + "peak = { cache_hit = 1, cache_miss = 1, output = 1 }",
        snapshot("line 9: peak: window takes one of the windows: daily, workdays"),
    ),
    "peak without": (
        ROW + 'peak = { window = "daily", output = 1 }',
        snapshot("line 9: peak: cache_hit takes USD per million tokens, as 0.15"),
    ),
    "offset": (
        WINDOW.replace("+08:00", "Asia/Shanghai"),
        snapshot('line 3: offset takes the hours and minutes from UTC, as "+08:00"'),
    ),
    "times": (
        WINDOW.replace("12:00:00", "08:00:00"),
        snapshot(
            "line 4: times takes pairs of times of one day: [[09:00:00, 12:00:00]]"
        ),
    ),
    "weekdays": (
        WINDOW + 'weekdays = ["Monday"]',
        snapshot("line 5: weekdays takes some of Mon, Tue, Wed, Thu, Fri, Sat, Sun"),
    ),
    "holidays": (
        WINDOW + 'holidays = ["2026-10-01"]',
        snapshot("line 5: holidays takes dates, as [2026-10-01]"),
    ),
    "setting": (
        WINDOW + "zone = 8",
        snapshot("line 5: there is no setting 'zone'"),
    ),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_a_file_that_cannot_be_meant_is_refused_with_its_line(
    monkeypatch, tmp_path, text, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "newer.toml").write_text(text)
    monkeypatch.setenv(VARIABLE, "newer.toml")
    with pytest.raises(ValueError, match=VARIABLE) as refused:
        MlflowSpanExporter(tracking_uri="http://127.0.0.1:9")
    said = str(refused.value).removeprefix(f"{VARIABLE}: newer.toml").lstrip(":, ")
    assert said == message


def test_a_file_that_is_not_there_is_refused(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="argument prices takes the path"):
        MlflowSpanExporter(tracking_uri="http://127.0.0.1:9", prices="gone.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff")
    monkeypatch.setenv(VARIABLE, "binary.toml")
    with pytest.raises(ValueError, match=f"{VARIABLE} takes the path"):
        MlflowSpanExporter(tracking_uri="http://127.0.0.1:9")
