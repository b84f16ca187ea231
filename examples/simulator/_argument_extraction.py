"""Values for a JSON schema, taken from what the user said."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from ._json import fields, is_array, is_object, items
from ._question import words_of

if TYPE_CHECKING:
    from ._question import Question

Schema: TypeAlias = Mapping[str, Any]
MISSING = object()
_DEEPEST = 5
_CHOICES = ("anyOf", "oneOf", "allOf")
_PLACE = {"location", "city", "place", "town", "region", "country", "where", "address"}
_NAMED = {"name", "person", "user", "company", "product", "customer", "title", "symbol"}
_WHOLE = {
    "query",
    "question",
    "prompt",
    "text",
    "message",
    "input",
    "search",
    "content",
}
_DAY = {"date", "day", "when"}


def arguments(
    question: Question, schema: Schema, names: list[str]
) -> dict[str, Any] | None:
    """An object for `schema`, or None if something it requires was not said.

    `names` are the proper names this object is about.
    """
    value = _Filling(question, schema, names).whole(schema)
    return value if is_object(value) else None


def kind_of(schema: Schema) -> str | None:
    """The type a value should have: of several the first that is not null."""
    kind = schema.get("type")
    kinds = [one for one in kind if one != "null"] if is_array(kind) else [kind]
    return str(kinds[0]) if kinds and kinds[0] is not None else None


class _Filling:
    """One object being filled: each number and each name is used once."""

    def __init__(self, question: Question, root: Schema, names: list[str]) -> None:
        self._question = question
        self._root = root
        self._names = list(names)
        self._numbers = list(question.numbers)
        self._depth = 0  # schemas may hold themselves

    def whole(self, schema: Schema) -> Any:
        self._depth += 1
        try:
            return self._whole(schema) if self._depth <= _DEEPEST else MISSING
        finally:
            self._depth -= 1

    def _whole(self, schema: Schema) -> Any:
        required = items(schema.get("required"))
        filled: dict[str, Any] = {}
        for name, item in fields(schema.get("properties")).items():
            value = self._value(name, item, needed=name in required)
            if value is not MISSING:
                filled[name] = value
            elif name in required:
                return MISSING
        return filled

    def _value(self, name: str, schema: Any, *, needed: bool) -> Any:
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._choice(schema, needed=needed)
        value = self._of_kind(kind_of(schema), name, schema)
        if value is MISSING and needed:
            return schema.get("default", MISSING)
        return value

    def _of_kind(self, kind: str | None, name: str, schema: Schema) -> Any:
        match kind:
            case "integer" | "number" if self._numbers:
                number = self._numbers.pop(0)
                return int(number) if kind == "integer" else number
            case "boolean" if words_of(name) & self._question.words:
                return True
            case "array":
                return self._array(self._resolved(schema.get("items")))
            case "object":
                return self.whole(schema) or MISSING
            case "string" | None:
                return self._string(words_of(name), schema)
            case _:
                return MISSING

    def _string(self, words: set[str], schema: Schema) -> Any:
        if words & _DAY or schema.get("format") == "date":
            return self._day(schema)
        if words & _WHOLE:
            return self._question.text
        if self._names:
            return self._names.pop(0)
        if words & (_PLACE | _NAMED):
            return MISSING
        return self._question.quoted[0] if self._question.quoted else MISSING

    def _day(self, schema: Schema) -> Any:
        day = self._question.day
        if day is None or schema.get("format") != "date" or day[0].isdigit():
            return day or MISSING
        ahead = {"tomorrow": 1, "yesterday": -1}.get(day, 0)
        today = dt.datetime.now(tz=dt.timezone.utc).date()
        return (today + dt.timedelta(days=ahead)).isoformat()

    def _choice(self, schema: Schema, *, needed: bool) -> Any:
        for choice in items(schema["enum"]):
            if words_of(str(choice)) & self._question.words:
                return choice
        if "default" in schema:
            return schema["default"] if needed else MISSING
        return next(iter(items(schema["enum"])), MISSING) if needed else MISSING

    def _array(self, each: Schema) -> Any:
        if kind_of(each) in ("integer", "number"):
            numbers, self._numbers = self._numbers, []
            return numbers or MISSING
        if kind_of(each) == "string":
            named, self._names = self._names or self._question.quoted, []
            return named or MISSING
        value = self.whole(each) if kind_of(each) == "object" else MISSING
        return MISSING if value is MISSING else [value]

    def _resolved(self, schema: object) -> Schema:
        """Follow `$ref` and take the first of the alternatives that is not null."""
        for _ in range(_DEEPEST):
            known = fields(schema)
            options = [o for key in _CHOICES for o in items(known.get(key))]
            options = [o for o in options if fields(o).get("type") != "null"]
            if "$ref" in known:
                schema = self._root
                for step in str(known["$ref"]).lstrip("#/").split("/"):
                    schema = fields(schema).get(step)
            elif options:
                schema = options[0]
            else:
                return known
        return {}
