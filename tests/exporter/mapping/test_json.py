"""JSON as the mapping writes it: by a part of the standard library's own encoder."""

from __future__ import annotations

import json
import math
from json import encoder

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentelemetry.exporter.mlflow._mapping._json import decode, encoding

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values.filter(lambda value: "inf" not in repr(value)))
def test_it_is_what_json_writes(value):
    expected = json.dumps(value, ensure_ascii=False)
    assert encoding(allow_nan=False)(value) == expected
    assert decode(expected) == json.loads(expected)


@pytest.mark.parametrize("value", [math.nan, math.inf, b"bytes", {1, 2}])
def test_what_json_cannot_write_is_refused(value):
    with pytest.raises((TypeError, ValueError)):
        encoding(allow_nan=False)(value)


def test_what_holds_itself_is_refused():
    value = []
    value.append(value)
    with pytest.raises(RecursionError):
        encoding(allow_nan=False)(value)


@pytest.mark.parametrize("around", ["{}", " {}", "{}\n", "\t{} "])
def test_white_space_around_it_is_not_read(around):
    assert decode(around.format('{"a": [1]}')) == {"a": [1]}


@pytest.mark.parametrize("text", ["", " ", "{", "[1] 2", "x"])
def test_what_is_not_json_is_refused(text):
    with pytest.raises(ValueError, match=r"Expecting|Extra"):
        decode(text)


def test_cpython_has_the_part_that_we_take(monkeypatch):
    """Not documented; without it the mapping is slower, and right."""
    taken = encoding(allow_nan=True)
    assert callable(encoder.c_make_encoder)
    monkeypatch.setattr(encoder, "c_make_encoder", None)
    otherwise = encoding(allow_nan=True)
    assert otherwise.__func__ is json.JSONEncoder.encode
    assert taken({"a": "“é”"}) == otherwise({"a": "“é”"}) == '{"a": "“é”"}'
