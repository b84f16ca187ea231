"""The mapping's JSON functions, which use a private part of the standard library."""

from __future__ import annotations

import json
import math
from json import encoder

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.mlflow._mapping._json import decode, make_encoder

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values.filter(lambda value: "inf" not in repr(value)))
def test_same_results_as_the_json_module(value):
    expected = json.dumps(value, ensure_ascii=False)
    assert make_encoder(allow_nan=False)(value) == expected
    assert decode(expected) == json.loads(expected)


@pytest.mark.parametrize("value", [math.nan, math.inf, b"bytes", {1, 2}])
def test_value_that_is_not_serializable_raises(value):
    with pytest.raises((TypeError, ValueError)):
        make_encoder(allow_nan=False)(value)


def test_circular_value_raises():
    value = []
    value.append(value)
    with pytest.raises(RecursionError):
        make_encoder(allow_nan=False)(value)


@pytest.mark.parametrize("template", ["{}", " {}", "{}\n", "\t{} "])
def test_white_space_around_the_text_is_skipped(template):
    assert decode(template.format('{"a": [1]}')) == {"a": [1]}


@pytest.mark.parametrize("text", ["", " ", "{", "[1] 2", "x"])
def test_invalid_json_raises(text):
    with pytest.raises(ValueError, match=r"Expecting|Extra"):
        decode(text)


def test_private_encoder_of_cpython_exists_and_is_optional(monkeypatch):
    fast = make_encoder(allow_nan=True)
    assert callable(encoder.c_make_encoder)
    monkeypatch.setattr(encoder, "c_make_encoder", None)
    fallback = make_encoder(allow_nan=True)
    assert fallback.__func__ is json.JSONEncoder.encode
    assert fast({"a": "“é”"}) == fallback({"a": "“é”"}) == '{"a": "“é”"}'
