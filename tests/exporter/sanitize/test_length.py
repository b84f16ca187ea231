"""Texts that are too long are truncated and marked."""

from __future__ import annotations

import json

import pytest

from .malformed import sanitize_value


def test_very_long_text_is_truncated():
    sanitized, reasons = sanitize_value("x" * 10_000_000)
    assert sanitized == "x" * (4 * 2**20 - 1) + "…"
    assert reasons == ("a: truncated from 10000000 characters",)


def test_long_texts_in_json_are_truncated_and_the_json_stays_valid():
    messages = [{"role": "user", "content": "y" * 10_000_000}, {"role": "user"}]
    sanitized, reasons = sanitize_value(json.dumps({"messages": messages}))
    question, other = json.loads(sanitized)["messages"]
    assert question["content"] == "y" * 2**16 + "… (10000000 characters)"
    assert other == {"role": "user"}
    assert reasons == ("a: truncated from 10000065 characters",)


def test_long_json_of_short_texts_is_truncated_like_text():
    sanitized, _ = sanitize_value(json.dumps(["x"] * 2_000_000))
    assert len(sanitized) == 4 * 2**20
    assert sanitized.endswith("…")


@pytest.mark.parametrize(
    ("name", "max_length"),
    [("session.id", 250), ("user.id", 250), ("mlflow.traceTag.a", 4_096)],
)
def test_truncated_identifiers_stay_different(name, max_length):
    first, reasons = sanitize_value("s" * 5_000 + "1", name)
    second, _ = sanitize_value("s" * 5_000 + "2", name)
    assert first != second
    assert len(first) == len(second) == max_length
    assert reasons == (f"{name}: truncated to {max_length} characters",)
