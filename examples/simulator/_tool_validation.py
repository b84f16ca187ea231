"""Rules for `tools` and `tool_choice`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ._chat_request import functions, thinking_and_effort
from ._json import array_items, is_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._request_validation import Body, Violations

_MAX_TOOLS = 128
_MAX_NAME_LENGTH = 128


def tool_names(body: Body) -> Violations:
    tools = functions(body)
    if len(tools) > _MAX_TOOLS:
        yield (
            "Invalid 'tools': array too long. Expected an array with maximum length"
            f" {_MAX_TOOLS}, but got an array with length {len(tools)} instead."
        )
    for index, tool in enumerate(tools):
        name, prefix = tool["name"], f"Invalid 'tools[{index}].function.name': "
        if not name:
            yield (
                f"{prefix}empty string. Expected a string with minimum length 1, but"
                " got an empty string instead."
            )
        if len(name) > _MAX_NAME_LENGTH:
            yield (
                f"{prefix}string too long. Expected a string with maximum length"
                f" {_MAX_NAME_LENGTH}, but got a string with length {len(name)}"
                " instead."
            )
        if not re.fullmatch(r"[a-zA-Z0-9_-]+", name):
            yield (
                f"{prefix}string does not match pattern. Expected a string that matches"
                " the pattern '^[a-zA-Z0-9_-]+$'."
            )


def _enabled_functions(body: Body) -> list[Mapping[str, Any]]:
    """Returns the functions, or none if `tool_choice` is `none`.

    DeepSeek then drops the tools before it checks anything but their names.
    """
    return [] if body.get("tool_choice") == "none" else functions(body)


def tools(body: Body) -> Violations:
    names = [tool["name"] for tool in _enabled_functions(body)]
    if len(set(names)) < len(names):
        yield "Tool names must be unique."
    for tool in _enabled_functions(body):
        schema = tool.get("parameters")
        prefix = f"Invalid schema for function '{tool['name']}': "
        if schema is None:
            continue
        if not is_object(schema) and not isinstance(schema, bool):
            yield f'{prefix}{json.dumps(schema)} is not of types "boolean", "object"'
        schema_type = schema.get("type") if is_object(schema) else None
        if schema_type != "object":
            yield (
                f"{prefix}schema must be a JSON Schema of 'type: \"object\"', got"
                f" 'type: {json.dumps(schema_type)}'."
            )


def tool_choice(body: Body) -> Violations:
    choice = body.get("tool_choice")
    names = [tool["name"] for tool in _enabled_functions(body)]
    if not names or choice in (None, "auto"):
        return
    if thinking_and_effort(body)[0]:
        yield "Thinking mode does not support this tool_choice"
    if is_object(choice) and (name := choice["function"]["name"]) not in names:
        yield (
            f"Invalid value for 'tool_call': no function named '{name}' was specified"
            " in the 'tools' parameter."
        )


def strict(body: Body) -> Violations:
    tools = _enabled_functions(body)
    strict_tools = [tool for tool in tools if tool.get("strict")]
    if strict_tools and len(strict_tools) < len(tools):
        yield "Cannot use strict tool with non-strict tool in the same request"
    for tool in strict_tools:
        schema = tool.get("parameters")
        if not is_object(schema):
            continue
        properties = set(schema.get("properties") or ())
        if properties != set(array_items(schema.get("required"))):
            yield "Required properties must match all properties in the object"


def strict_outside_beta(body: Body) -> Violations:
    # Composed after the message for FIM: the message of the live API is unknown.
    if any(tool.get("strict") for tool in functions(body)):
        yield (
            "strict tools are only available when using beta api (set"
            ' base_url="https://api.deepseek.com/beta")'
        )
