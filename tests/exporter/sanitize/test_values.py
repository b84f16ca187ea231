"""Values that MLflow cannot store are changed and listed. Others are unchanged."""

from __future__ import annotations

import json
from types import MappingProxyType

import pytest
from inline_snapshot import snapshot

from opentelemetry.exporter.mlflow._sanitize import sanitize

from .malformed import MALFORMED_VALUES, make_span, nested_tuple, sanitize_value


def test_cost_written_by_the_price_list_is_unchanged():
    cost = '{"input_cost": 1.5e-05, "output_cost": 0.0, "total_cost": 1.5e-05}'
    span = make_span({"mlflow.llm.cost": cost})
    assert sanitize(span) is span


VALID_VALUES = {
    "text": "Zürich 😀",
    "emoji in the escapes of JSON": r'{"a": "\ud83d\ude00"}',
    "a backslash": r"C:\u0000",
    "a long conversation": json.dumps([{"role": "user", "content": "x"}] * 300),
    "5,000 digits in a text": json.dumps({"a": "1" * 5_000}),
    "brackets in a text": json.dumps("[" * 5_000),
    "brackets between escapes": json.dumps(['\\"[\\'] * 2_000),
    "lists beside each other": json.dumps([[{}]] * 2_000),
    "200 levels": "[" * 200 + "]" * 200,
    "the largest number": 2**63 - 1,
    "texts": ("a", "b"),
    "numbers": (1.0, 2.0),
    "true": True,
    "object": {"a": {"b": 1}},
}


@pytest.mark.parametrize("value", VALID_VALUES.values(), ids=VALID_VALUES)
def test_valid_value_is_unchanged(value):
    span = make_span({"a": value})
    assert sanitize(span) is span


def test_malformed_values_are_changed_and_listed():
    assert {
        name: sanitize_value(value) for name, value in MALFORMED_VALUES.items()
    } == snapshot(
        {
            "single surrogate": ("x�y", ("a: characters that MLflow cannot store",)),
            "single surrogate in JSON": (
                '{"a": "�"}',
                ("a: characters that MLflow cannot store",),
            ),
            "surrogate pair": ("😀", ("a: characters that MLflow cannot store",)),
            "NUL": ("x␀y", ("a: characters that MLflow cannot store",)),
            "NUL in JSON": (
                '{"a": "x␀y"}',
                ("a: characters that MLflow cannot store",),
            ),
            "NUL in a key": ('{"␀": NaN}', ("a: characters that MLflow cannot store",)),
            "NaN": ("nan", ("a: number that MLflow cannot store",)),
            "infinity": ((1.0, "-inf"), ("a: number that MLflow cannot store",)),
            "large number": (
                "1180591620717411303424",
                ("a: number that MLflow cannot store",),
            ),
            "bytes": (
                "�␀",
                (
                    "a: bytes converted to text",
                    "a: characters that MLflow cannot store",
                ),
            ),
            "object": (
                {"a": ("inf", "x")},
                (
                    "a: number that MLflow cannot store",
                    "a: bytes converted to text",
                ),
            ),
            "deep nesting": (
                (((((((((((((((('[["x"]]',),),),),),),),),),),),),),),),),
                ("a: tuple converted to text",),
            ),
        }
    )


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5_000,
        '{"a":' * 300 + "1" + "}" * 300,
        '[{"\\\\":' * 101 + "1" + "}]" * 101,
        "[" * 201 + "]" * 100,
        "1" * 5_000,
        f"[{'1' * 5_000}]",
    ],
)
def test_json_that_python_cannot_parse_gets_a_prefix(text):
    assert sanitize_value(text) == (
        f"(not readable as JSON) {text}",
        ("a: not readable as JSON",),
    )


@pytest.mark.parametrize(
    ("innermost", "text"),
    [
        (b"\xff", '[["\ufffd"]]'),
        (MappingProxyType({"a": 1}), '[[{"a": 1}]]'),
        (1j, '[["1j"]]'),
        (nested_tuple(100_000), "(tuple that is not serializable)"),
    ],
)
def test_value_below_the_maximum_depth_becomes_text(innermost, text):
    value = innermost
    for _ in range(18):
        value = (value,)
    sanitized, reasons = sanitize_value(value)
    for _ in range(16):
        (sanitized,) = sanitized
    assert sanitized == text
    assert reasons == ("a: tuple converted to text",)
