"""Values that MLflow cannot keep are changed, and named; the others are not touched."""

from __future__ import annotations

import json
from types import MappingProxyType

import pytest
from inline_snapshot import snapshot

from opentelemetry.exporter.mlflow._sanitize import sanitize

from .malformed import CHANGED, fitted, nested, span


def test_a_cost_of_ours_is_not_touched():
    cost = '{"input_cost": 1.5e-05, "output_cost": 0.0, "total_cost": 1.5e-05}'
    given = span({"mlflow.llm.cost": cost})
    assert sanitize(given) is given


FIT = {
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


@pytest.mark.parametrize("value", FIT.values(), ids=FIT)
def test_what_is_fit_is_not_touched(value):
    given = span({"a": value})
    assert sanitize(given) is given


def test_what_is_not_fit_is_changed_and_named():
    assert {name: fitted(value) for name, value in CHANGED.items()} == snapshot(
        {
            "half a character": ("x�y", ("a: characters that MLflow cannot keep",)),
            "half a character in JSON": (
                '{"a": "�"}',
                ("a: characters that MLflow cannot keep",),
            ),
            "both halves": ("😀", ("a: characters that MLflow cannot keep",)),
            "NUL": ("x␀y", ("a: characters that MLflow cannot keep",)),
            "NUL in JSON": ('{"a": "x␀y"}', ("a: characters that MLflow cannot keep",)),
            "NUL in a key": ('{"␀": NaN}', ("a: characters that MLflow cannot keep",)),
            "not a number": ("nan", ("a: a number beyond what MLflow keeps",)),
            "infinite": ((1.0, "-inf"), ("a: a number beyond what MLflow keeps",)),
            "too large": (
                "1180591620717411303424",
                ("a: a number beyond what MLflow keeps",),
            ),
            "bytes": (
                "�␀",
                ("a: made a text of bytes", "a: characters that MLflow cannot keep"),
            ),
            "an object": (
                {"a": ("inf", "x")},
                ("a: a number beyond what MLflow keeps", "a: made a text of bytes"),
            ),
            "nested": (
                (((((((((((((((('[["x"]]',),),),),),),),),),),),),),),),),
                ("a: made a text of tuple",),
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
def test_what_a_server_in_python_fails_at_is_no_json(text):
    assert fitted(text) == (
        f"(not readable as JSON) {text}",
        ("a: not readable as JSON",),
    )


@pytest.mark.parametrize(
    ("innermost", "written"),
    [
        (b"\xff", '[["\ufffd"]]'),
        (MappingProxyType({"a": 1}), '[[{"a": 1}]]'),
        (1j, '[["1j"]]'),
        (nested(100_000), "(tuple that cannot be written)"),
    ],
)
def test_what_is_nested_too_deep_is_a_text(innermost, written):
    value = innermost
    for _ in range(18):
        value = (value,)
    kept, reasons = fitted(value)
    for _ in range(16):
        (kept,) = kept
    assert kept == written
    assert reasons == ("a: made a text of tuple",)
