"""Rules for the tools and for the choice among them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ._chat_request import functions, thinking_of
from ._json import is_object, items

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._request_validation import Body, Complaints

_MAX_TOOLS = 128
_MAX_NAME = 128


def tool_names(body: Body) -> Complaints:
    tools = functions(body)
    if len(tools) > _MAX_TOOLS:
        yield (
            "Invalid 'tools': array too long. Expected an array with maximum length"
            f" {_MAX_TOOLS}, but got an array with length {len(tools)} instead."
        )
    for index, tool in enumerate(tools):
        name, at = tool["name"], f"Invalid 'tools[{index}].function.name': "
        if not name:
            yield (
                f"{at}empty string. Expected a string with minimum length 1, but got an"
                " empty string instead."
            )
        if len(name) > _MAX_NAME:
            yield (
                f"{at}string too long. Expected a string with maximum length"
                f" {_MAX_NAME}, but got a string with length {len(name)} instead."
            )
        if not re.fullmatch(r"[a-zA-Z0-9_-]+", name):
            yield (
                f"{at}string does not match pattern. Expected a string that matches the"
                " pattern '^[a-zA-Z0-9_-]+$'."
            )


def _used(body: Body) -> list[Mapping[str, Any]]:
    """With the choice `none`, tools are left out before they are looked into."""
    return [] if body.get("tool_choice") == "none" else functions(body)


def tools(body: Body) -> Complaints:
    names = [tool["name"] for tool in _used(body)]
    if len(set(names)) < len(names):
        yield "Tool names must be unique."
    for tool in _used(body):
        schema = tool.get("parameters")
        at = f"Invalid schema for function '{tool['name']}': "
        if schema is None:
            continue
        if not is_object(schema) and not isinstance(schema, bool):
            yield f'{at}{json.dumps(schema)} is not of types "boolean", "object"'
        kind = schema.get("type") if is_object(schema) else None
        if kind != "object":
            yield (
                f"{at}schema must be a JSON Schema of 'type: \"object\"', got"
                f" 'type: {json.dumps(kind)}'."
            )


def tool_choice(body: Body) -> Complaints:
    choice, names = body.get("tool_choice"), [t["name"] for t in _used(body)]
    if not names or choice in (None, "auto"):
        return
    if thinking_of(body)[0]:
        yield "Thinking mode does not support this tool_choice"
    if is_object(choice) and (name := choice["function"]["name"]) not in names:
        yield (
            f"Invalid value for 'tool_call': no function named '{name}' was specified"
            " in the 'tools' parameter."
        )


def strict(body: Body) -> Complaints:
    strict = [tool for tool in _used(body) if tool.get("strict")]
    if strict and len(strict) < len(_used(body)):
        yield "Cannot use strict tool with non-strict tool in the same request"
    for tool in strict:
        schema = tool.get("parameters")
        if not is_object(schema):
            continue
        if set(schema.get("properties") or ()) != set(items(schema.get("required"))):
            yield "Required properties must match all properties in the object"


def strict_outside_beta(body: Body) -> Complaints:
    # Composed after the FIM message: what DeepSeek says here was never recorded.
    if any(tool.get("strict") for tool in functions(body)):
        yield (
            "strict tools are only available when using beta api (set"
            ' base_url="https://api.deepseek.com/beta")'
        )
