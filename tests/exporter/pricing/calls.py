"""Calls of DeepSeek's models, and what they cost."""

from __future__ import annotations

import json
from datetime import datetime
from importlib.resources import files

from opentelemetry.exporter.mlflow._config import Setting
from opentelemetry.exporter.mlflow._pricing._price_file import load_price_list

OURS = files("opentelemetry.exporter.mlflow._pricing") / "prices.toml"
VARIABLE = "OTEL_EXPORTER_MLFLOW_PRICES"
PEAK = "2026-11-20T01:00:00+00:00"  # a Friday
OFF_PEAK = "2026-11-20T00:59:59.999999+00:00"


def at(moment: str) -> int:
    given = datetime.fromisoformat(moment)
    return (
        int(given.replace(microsecond=0).timestamp()) * 1_000_000 + given.microsecond
    ) * 1_000


def call(model="deepseek-flash", **more):
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
    } | more


def without(attributes, *names):
    return {k: v for k, v in attributes.items() if k not in names}


def ours():
    return load_price_list(Setting(None, VARIABLE))


def cost(attributes, moment=OFF_PEAK, prices=None):
    """None: nothing is said; {}: that there is no cost."""
    said = (prices or ours()).cost(attributes, at(moment))
    return None if said is None else json.loads(said)


def total(attributes, moment=OFF_PEAK, prices=None):
    return cost(attributes, moment, prices)["total_cost"]
