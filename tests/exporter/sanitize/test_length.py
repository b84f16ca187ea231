"""Texts that are too long are cut, and say so."""

from __future__ import annotations

import json

import pytest

from .malformed import fitted


def test_a_very_long_text_is_cut():
    kept, reasons = fitted("x" * 10_000_000)
    assert kept == "x" * (4 * 2**20 - 1) + "…"
    assert reasons == ("a: cut from 10000000 characters",)


def test_in_json_the_long_texts_are_cut_and_it_stays_json():
    messages = [{"role": "user", "content": "y" * 10_000_000}, {"role": "user"}]
    kept, reasons = fitted(json.dumps({"messages": messages}))
    question, other = json.loads(kept)["messages"]
    assert question["content"] == "y" * 2**16 + "… (10000000 characters)"
    assert other == {"role": "user"}
    assert reasons == ("a: cut from 10000065 characters",)


def test_json_that_is_long_in_itself_is_cut_as_a_text():
    kept, _ = fitted(json.dumps(["x"] * 2_000_000))
    assert len(kept) == 4 * 2**20
    assert kept.endswith("…")


@pytest.mark.parametrize(
    ("name", "longest"),
    [("session.id", 250), ("user.id", 250), ("mlflow.traceTag.a", 4_096)],
)
def test_identities_stay_apart_when_they_are_cut(name, longest):
    one, reasons = fitted("s" * 5_000 + "1", name)
    other, _ = fitted("s" * 5_000 + "2", name)
    assert one != other
    assert len(one) == len(other) == longest
    assert reasons == (f"{name}: cut to {longest} characters",)
