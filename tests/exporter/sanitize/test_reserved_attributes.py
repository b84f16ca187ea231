"""Attributes that MLflow's server reads itself, with values at which it fails."""

from __future__ import annotations

import pytest

from opentelemetry.exporter.mlflow._sanitize import SANITIZED, sanitize

from .malformed import make_span, sanitize_value


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("gen_ai.operation.name", ("chat",), '["chat"]'),
        ("gen_ai.operation.name", ' "[1]"', ' "[1]"'),
        ("traceloop.span.kind", "{}", "{}"),
        ("mlflow.llm.cost", "nonsense", "nonsense"),
        ("mlflow.llm.cost", '{"total_cost": 1e999}', '{"total_cost": 1e999}'),
        ("mlflow.chat.tokenUsage", "[1]", "[1]"),
        ("mlflow.chat.tokenUsage", '{"input_tokens": null}', '{"input_tokens": null}'),
    ],
)
def test_unreadable_reserved_attribute_is_renamed(name, value, text):
    attributes = sanitize(make_span({name: value})).attributes
    assert attributes == {
        f"{SANITIZED}.{name}": text,
        SANITIZED: (f"{name}: renamed, because MLflow cannot read it",),
    }


def test_token_count_too_large_for_sums_becomes_text():
    assert sanitize_value(2**62, "gen_ai.usage.input_tokens") == (
        "4611686018427387904 tokens",
        ("gen_ai.usage.input_tokens: number that MLflow cannot store",),
    )
