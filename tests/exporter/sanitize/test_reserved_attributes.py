"""Attributes that the server reads itself, and fails at."""

from __future__ import annotations

import pytest

from opentelemetry.exporter.mlflow._sanitize import SANITIZED, sanitize

from .malformed import fitted, span


@pytest.mark.parametrize(
    ("name", "value", "kept"),
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
def test_what_the_server_fails_to_read_has_another_name(name, value, kept):
    attributes = sanitize(span({name: value})).attributes
    assert attributes == {
        f"{SANITIZED}.{name}": kept,
        SANITIZED: (f"{name}: what MLflow cannot read has another name",),
    }


def test_a_count_that_no_database_adds_up_is_none():
    assert fitted(2**62, "gen_ai.usage.input_tokens") == (
        "4611686018427387904 tokens",
        ("gen_ai.usage.input_tokens: a number beyond what MLflow keeps",),
    )
