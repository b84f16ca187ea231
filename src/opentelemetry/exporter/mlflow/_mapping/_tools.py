"""Tool definitions of the GenAI conventions in the shape MLflow's page lists.

It lists none of them if one does not pass its checks: nested under `function` as OpenAI
has them, and a single `type` for every property.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.mlflow._mapping._chat import mappings

if TYPE_CHECKING:
    from opentelemetry.exporter.mlflow._mapping._chat import Json


def chat_tools(definitions: Any) -> list[Json]:
    """`gen_ai.tool.definitions`, parsed, as OpenAI has them.

    Raises UnknownShapeError.
    """
    return [_tool(definition) for definition in mappings(definitions)]


def _tool(definition: Json) -> Json:
    tool = dict(definition)
    if "function" not in tool:
        # What a tool is called and does stands under "function"; its type is said
        # there only if it is another one.
        function = {k: v for k, v in tool.items() if (k, v) != ("type", "function")}
        tool = {"type": "function", "function": function}
    match tool["function"]:
        case {"parameters": {"properties": {**properties}} as schema} as function:
            single = {name: _single(value) for name, value in properties.items()}
            parameters: Json = {**schema, "properties": single}
            tool["function"] = {**function, "parameters": parameters}
        case _:
            pass
    return tool


def _single(schema: Any) -> Any:
    """The same schema, if it has several types, in the words of `anyOf`."""
    match schema:
        case {"type": [*types], **rest} if "anyOf" not in rest:
            return {**rest, "anyOf": [{"type": one} for one in types]}
        case _:
            return schema
