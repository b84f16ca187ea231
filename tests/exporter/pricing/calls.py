"""Attributes of calls of DeepSeek's models, and the cost of such calls."""

from __future__ import annotations

import json
from datetime import datetime
from importlib.resources import files

from opentelemetry.exporter.mlflow._config import Setting
from opentelemetry.exporter.mlflow._pricing._price_file import load_price_list

BUNDLED_FILE = files("opentelemetry.exporter.mlflow._pricing") / "prices.toml"
VARIABLE = "OTEL_EXPORTER_MLFLOW_PRICES"
PEAK = "2026-11-20T01:00:00+00:00"  # a Friday
OFF_PEAK = "2026-11-20T00:59:59.999999+00:00"


def unix_nanoseconds(iso_time: str) -> int:
    time = datetime.fromisoformat(iso_time)
    return (
        int(time.replace(microsecond=0).timestamp()) * 1_000_000 + time.microsecond
    ) * 1_000


def call(model="deepseek-flash", **attributes):
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "deepseek",
        "gen_ai.request.model": model,
        "gen_ai.response.model": model,
        "gen_ai.usage.input_tokens": 1_000_000,
        "gen_ai.usage.cache_read.input_tokens": 600_000,
        "gen_ai.usage.output_tokens": 100_000,
        "gen_ai.usage.reasoning.output_tokens": 40_000,
        "server.address": "api.deepseek.com",
        "server.port": 443,
    } | attributes


def without(attributes, *names):
    return {name: value for name, value in attributes.items() if name not in names}


def bundled_prices():
    return load_price_list(Setting(None, VARIABLE))


def cost(attributes, iso_time=OFF_PEAK, prices=None):
    """None: MLflow computes the cost. {}: the cost is not known."""
    call_cost = (prices or bundled_prices()).cost(
        attributes, unix_nanoseconds(iso_time)
    )
    if call_cost is None:
        return None
    written = {}
    call_cost.write_to(written)
    return json.loads(written.get("mlflow.llm.cost", "{}"))


def total_cost(attributes, iso_time=OFF_PEAK, prices=None):
    return cost(attributes, iso_time, prices)["total_cost"]
