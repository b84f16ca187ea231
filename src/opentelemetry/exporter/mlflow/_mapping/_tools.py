"""Tool definitions, in the shape that MLflow's page lists.

MLflow's page lists no tool if one of them does not pass its checks: the definition must
be nested under `function`, as in OpenAI's API, and every property must have a single
`type`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.mlflow._mapping._chat import as_objects

if TYPE_CHECKING:
    from opentelemetry.exporter.mlflow._mapping._chat import Json


def chat_tools(definitions: Any) -> list[Json]:
    """Convert parsed `gen_ai.tool.definitions` to OpenAI's tools.

    Raises UnknownShapeError.
    """
    return [_tool(definition) for definition in as_objects(definitions)]


def _tool(definition: Json) -> Json:
    tool = dict(definition)
    if "function" not in tool:
        # Name, description and parameters are under "function". So is the type, unless
        # it is "function".
        function = {
            key: value
            for key, value in tool.items()
            if (key, value) != ("type", "function")
        }
        tool = {"type": "function", "function": function}
    match tool["function"]:
        case {"parameters": {"properties": {**properties}} as schema} as function:
            converted = {
                name: _with_single_type(value) for name, value in properties.items()
            }
            parameters: Json = {**schema, "properties": converted}
            tool["function"] = {**function, "parameters": parameters}
        case _:
            pass
    return tool


def _with_single_type(schema: Any) -> Any:
    """Convert a list of types to `anyOf`."""
    match schema:
        case {"type": [*types], **rest} if "anyOf" not in rest:
            return {**rest, "anyOf": [{"type": type_} for type_ in types]}
        case _:
            return schema
