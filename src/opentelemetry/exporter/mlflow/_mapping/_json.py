"""JSON in the mapping, which spends most of its time on it."""

from __future__ import annotations

from json import JSONDecoder, JSONEncoder, encoder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# MLflow's pages cannot parse the NaN and Infinity that Python reads and writes.
_decoder = JSONDecoder(parse_constant=str)


def decode(text: str) -> Any:
    # Faster than the decoder's `decode`, which looks for white space around it.
    try:
        value, end = _decoder.raw_decode(text)
    except ValueError:
        return _decoder.decode(text)
    return value if end == len(text) else _decoder.decode(text)


def encoding(*, allow_nan: bool) -> Callable[[Any], str]:
    plain = JSONEncoder(
        ensure_ascii=False,
        # What was parsed holds nothing that holds it.
        check_circular=False,
        allow_nan=allow_nan,
    )
    # Not documented: CPython's part of `encode`, which makes it anew for every text.
    # That takes twice as long as to write a short one.
    make: Any = getattr(encoder, "c_make_encoder", None)
    if make is None:  # another Python
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
