"""Converts the parts of a message's content into parts of the GenAI conventions."""

from __future__ import annotations

import json
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from ._coerce import as_text, field_of, items_of, omit_none
from ._genai import as_json_value, image_from_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Json = dict[str, Any]


def content_parts(content: object, *, joins_texts: bool = False) -> list[Json]:
    """Converts content, which is text or a list of parts; an empty text has no part.

    `joins_texts` is True if consecutive texts are pieces of one text.
    """
    if isinstance(content, str):
        return text_parts("text", content)
    parts = [_content_part(item) for item in items_of(content)]
    parts = [part for part in parts if part.get("content") != ""]
    return _join_texts(parts) if joins_texts else parts


def _join_texts(parts: list[Json]) -> list[Json]:
    """Joins consecutive parts of text, and consecutive parts of reasoning."""
    joined: list[Json] = []
    for part_type, group in groupby(parts, key=itemgetter("type")):
        if part_type in ("text", "reasoning"):
            text = "".join(part["content"] for part in group)
            joined.append({"type": part_type, "content": text})
        else:
            joined.extend(group)
    return joined


def text_parts(part_type: str, text: object) -> list[Json]:
    has_text = isinstance(text, str) and text
    return [{"type": part_type, "content": text}] if has_text else []


def json_text_part(item: object) -> Json:
    """Returns a text part with the JSON of an item that the conventions do not know."""
    value = as_json_value(item)
    if not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False, default=repr)
    return {"type": "text", "content": value}


def _text_part(item: object) -> Json | None:
    text: object = field_of(item, "text")
    return {"type": "text", "content": text} if isinstance(text, str) else None


def _refusal_part(item: object) -> Json | None:
    refusal: object = field_of(item, "refusal")
    return {"type": "text", "content": refusal} if isinstance(refusal, str) else None


def _thinking_part(item: object) -> Json | None:
    """Converts a part that gateways use for reasoning, in one of its forms."""
    for name in ("thinking", "content", "text"):
        thinking: object = field_of(item, name)
        if isinstance(thinking, str):
            return {"type": "reasoning", "content": thinking}
        if parts := items_of(thinking):
            texts = (as_text(field_of(part, "text")) or "" for part in parts)
            return {"type": "reasoning", "content": "".join(texts)}
    return None


def _image_part(item: object) -> Json | None:
    image_url: object = field_of(item, "image_url")
    # A text in the Responses API.
    url: object = (
        image_url if isinstance(image_url, str) else field_of(image_url, "url")
    )
    return part_from_url(url, "image")


def _file_part(item: object) -> Json | None:
    file: object = field_of(item, "file")
    if (file_id := as_text(field_of(file, "file_id"))) is not None:
        return {"type": "file", "modality": "document", "file_id": file_id}
    return part_from_url(field_of(file, "file_data"), "document")


def part_from_url(url: object, modality: str) -> Json | None:
    """Returns a blob part for a data URL, a URI part for any other URL.

    Returns None if `url` is no text or is an invalid data URL.
    """
    part = image_from_url(url, modality=modality) if isinstance(url, str) else None
    return None if part is None else omit_none(**vars(part))


_CONTENT_PARTS: Final[Mapping[str, Callable[[object], Json | None]]] = {
    "file": _file_part,
    "image_url": _image_part,
    "input_image": _image_part,
    "input_text": _text_part,
    "output_text": _text_part,
    "reasoning": _thinking_part,
    "refusal": _refusal_part,
    "text": _text_part,
    "thinking": _thinking_part,
}


def _content_part(item: object) -> Json:
    convert = _CONTENT_PARTS.get(str(field_of(item, "type")))
    return (convert and convert(item)) or json_text_part(item)
