"""JSON of the mapping, which spends most of its time on it."""

from __future__ import annotations

from json import JSONDecoder, JSONEncoder, encoder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# MLflow's pages cannot parse NaN and Infinity, which Python reads and writes.
_decoder = JSONDecoder(parse_constant=str)


def decode(text: str) -> Any:
    # Faster than the decoder's `decode`, which also skips white space around the text.
    try:
        value, end = _decoder.raw_decode(text)
    except ValueError:
        return _decoder.decode(text)
    return value if end == len(text) else _decoder.decode(text)


def encoding(*, allow_nan: bool) -> Callable[[Any], str]:
    plain = JSONEncoder(
        ensure_ascii=False,
        # Parsed JSON has no circular references.
        check_circular=False,
        allow_nan=allow_nan,
    )
    # Not documented: the part of CPython's `encode` that does the work. `encode`
    # creates it again for every value, which takes twice as long as to encode a short
    # one.
    make: Any = getattr(encoder, "c_make_encoder", None)
    if make is None:  # not CPython
        return plain.encode
    parts = make(
        None,
        plain.default,
        encoder.encode_basestring,
        None,
        plain.key_separator,
        plain.item_separator,
        plain.sort_keys,
        plain.skipkeys,
        plain.allow_nan,
    )
    return lambda value: "".join(parts(value, 0))
