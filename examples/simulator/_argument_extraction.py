"""Extraction of values for a JSON schema from the words of a question."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from ._json import array_items, is_array, is_object, object_fields
from ._question import word_stems

if TYPE_CHECKING:
    from ._question import Question

Schema: TypeAlias = Mapping[str, Any]
_MISSING = object()
_MAX_DEPTH = 5
_ALTERNATIVES = ("anyOf", "oneOf", "allOf")
# Words in the names of properties, by the text that the property takes.
_PLACE_WORDS = {
    "location",
    "city",
    "place",
    "town",
    "region",
    "country",
    "where",
    "address",
}
_NAME_WORDS = {
    "name",
    "person",
    "user",
    "company",
    "product",
    "customer",
    "title",
    "symbol",
}
_FULL_TEXT_WORDS = {
    "query",
    "question",
    "prompt",
    "text",
    "message",
    "input",
    "search",
    "content",
}
_DATE_WORDS = {"date", "day", "when"}


def extract_arguments(
    question: Question, schema: Schema, names: list[str]
) -> dict[str, Any] | None:
    """Returns an object for `schema`, or None if a required value is missing.

    `names` are the proper names that the object may contain.
    """
    value = _ObjectBuilder(question, schema, names).build(schema)
    return value if is_object(value) else None


def schema_type(schema: Schema) -> str | None:
    """Returns the type of `schema`; of several types the first that is not null."""
    value = schema.get("type")
    types = [item for item in value if item != "null"] if is_array(value) else [value]
    return str(types[0]) if types and types[0] is not None else None


class _ObjectBuilder:
    """Builds one object. Each number and each name of the question is used once."""

    def __init__(self, question: Question, root: Schema, names: list[str]) -> None:
        self._question = question
        self._root = root
        self._names = list(names)
        self._numbers = list(question.numbers)
        self._depth = 0  # limited, because a schema may contain itself

    def build(self, schema: Schema) -> Any:
        self._depth += 1
        try:
            return self._object(schema) if self._depth <= _MAX_DEPTH else _MISSING
        finally:
            self._depth -= 1

    def _object(self, schema: Schema) -> Any:
        required = array_items(schema.get("required"))
        fields: dict[str, Any] = {}
        for name, item in object_fields(schema.get("properties")).items():
            value = self._value(name, item, required=name in required)
            if value is not _MISSING:
                fields[name] = value
            elif name in required:
                return _MISSING
        return fields

    def _value(self, name: str, schema: Any, *, required: bool) -> Any:
        schema = self._resolve(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._enum_value(schema, required=required)
        value = self._typed_value(schema_type(schema), name, schema)
        if value is _MISSING and required:
            return schema.get("default", _MISSING)
        return value

    def _typed_value(self, type_name: str | None, name: str, schema: Schema) -> Any:
        match type_name:
            case "integer" | "number" if self._numbers:
                number = self._numbers.pop(0)
                return int(number) if type_name == "integer" else number
            case "boolean" if word_stems(name) & self._question.words:
                return True
            case "array":
                return self._array(self._resolve(schema.get("items")))
            case "object":
                return self.build(schema) or _MISSING
            case "string" | None:
                return self._string(word_stems(name), schema)
            case _:
                return _MISSING

    def _string(self, name_words: set[str], schema: Schema) -> Any:
        if name_words & _DATE_WORDS or schema.get("format") == "date":
            return self._date(schema)
        if name_words & _FULL_TEXT_WORDS:
            return self._question.text
        if self._names:
            return self._names.pop(0)
        if name_words & (_PLACE_WORDS | _NAME_WORDS):
            return _MISSING
        return next(iter(self._question.quotations), _MISSING)

    def _date(self, schema: Schema) -> Any:
        day = self._question.day
        if day is None or schema.get("format") != "date" or day[0].isdigit():
            return day or _MISSING
        offset = {"tomorrow": 1, "yesterday": -1}.get(day, 0)
        today = dt.datetime.now(tz=dt.timezone.utc).date()
        return (today + dt.timedelta(days=offset)).isoformat()

    def _enum_value(self, schema: Schema, *, required: bool) -> Any:
        values = array_items(schema["enum"])
        for value in values:
            if word_stems(str(value)) & self._question.words:
                return value
        if "default" in schema:
            return schema["default"] if required else _MISSING
        return next(iter(values), _MISSING) if required else _MISSING

    def _array(self, item_schema: Schema) -> Any:
        item_type = schema_type(item_schema)
        if item_type in ("integer", "number"):
            numbers, self._numbers = self._numbers, []
            return numbers or _MISSING
        if item_type == "string":
            texts, self._names = self._names or self._question.quotations, []
            return texts or _MISSING
        value = self.build(item_schema) if item_type == "object" else _MISSING
        return _MISSING if value is _MISSING else [value]

    def _resolve(self, schema: object) -> Schema:
        """Follows `$ref` and takes the first alternative that is not null."""
        for _ in range(_MAX_DEPTH):
            fields = object_fields(schema)
            alternatives = [
                alternative
                for key in _ALTERNATIVES
                for alternative in array_items(fields.get(key))
                if object_fields(alternative).get("type") != "null"
            ]
            if "$ref" in fields:
                schema = self._root
                for step in str(fields["$ref"]).lstrip("#/").split("/"):
                    schema = object_fields(schema).get(step)
            elif alternatives:
                schema = alternatives[0]
            else:
                return fields
        return {}
