"""Fast JSON functions for the mapping, which spends most of its time in them."""

from __future__ import annotations

from json import JSONDecoder, JSONEncoder, encoder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# MLflow's pages cannot parse NaN and Infinity, which Python reads and writes.
_decoder = JSONDecoder(parse_constant=str)


def decode(text: str) -> Any:
    """Return the value of a JSON text, with NaN and Infinity as strings."""
    # Faster than the decoder's `decode`, which also skips white space around the text.
    try:
        value, end = _decoder.raw_decode(text)
    except ValueError:
        return _decoder.decode(text)
    return value if end == len(text) else _decoder.decode(text)


def make_encoder(*, allow_nan: bool) -> Callable[[Any], str]:
    """Return a function that encodes a value as JSON, like JSONEncoder.encode()."""
    json_encoder = JSONEncoder(
        ensure_ascii=False,
        # Parsed JSON has no circular references.
        check_circular=False,
        allow_nan=allow_nan,
    )
    # The part of CPython's `encode` that does the work. It is not documented. `encode`
    # creates it again for every value, which takes twice as long as encoding a short
    # value.
    make: Any = getattr(encoder, "c_make_encoder", None)
    if make is None:  # not CPython
        return json_encoder.encode
    encode = make(
        None,
        json_encoder.default,
        encoder.encode_basestring,
        None,
        json_encoder.key_separator,
        json_encoder.item_separator,
        json_encoder.sort_keys,
        json_encoder.skipkeys,
        json_encoder.allow_nan,
    )
    return lambda value: "".join(encode(value, 0))
