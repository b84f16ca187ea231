"""Whether spans follow OpenTelemetry's GenAI conventions for a client inference.

Only what the conventions say is checked, not what this package does beyond them.
https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/client-inference.md
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from jsonschema.validators import validator_for

from tests.instrumentation.conventions import PARTS, ROLES, SCHEMAS, TYPES

from ._cell import in_part, no, yes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._cell import Cell, Runs
    from ._record import Span

_CALLS: Final = (
    *("chat", "stream", "tools", "tools_follow_up", "stream_tools", "json_mode"),
    *("fim", "error", "stream_dropped", "responses"),
)
_PREFIX: Final = "gen_ai."
_REQUIRED: Final = (
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
)
# Further attributes of the conventions. Those of tools belong to other spans.
_OTHER_ATTRIBUTES: Final = {
    "gen_ai.agent.id",
    "gen_ai.agent.name",
    "gen_ai.conversation.compacted",
    "gen_ai.prompt.name",
    "gen_ai.prompt.version",
    "gen_ai.request.top_k",
    "gen_ai.tool.call.id",
    "gen_ai.tool.name",
    "gen_ai.usage.cache_write.input_tokens",
}
_OTHER_PREFIXES: Final = ("gen_ai.usage.text.", "gen_ai.usage.image.")
_VALIDATORS: Final = {
    name: validator_for(schema)(schema) for name, schema in SCHEMAS.items()
}
_JSON_TYPES: Final[dict[type, type]] = {tuple: list}


def conventions(runs: Runs) -> Cell:
    spans = [span for name in _CALLS for span in runs.content[name].spans]
    if not any(key.startswith(_PREFIX) for span in spans for key in span.attributes):
        return no()
    problems = list(
        dict.fromkeys(problem for span in spans for problem in _problems(span))
    )
    if others := sorted({name for span in spans for name in _other_attributes(span)}):
        problems.append(
            f"attributes that the conventions do not have: {', '.join(others)}"
        )
    return in_part(", ".join(problems)) if problems else yes()


def _other_attributes(span: Span) -> list[str]:
    known = {*TYPES, *_OTHER_ATTRIBUTES}
    return [
        f"`{name}`"
        for name in span.attributes
        if name.startswith(_PREFIX)
        and name not in known
        and not name.startswith(_OTHER_PREFIXES)
    ]


def _problems(span: Span) -> Iterator[str]:
    attributes = span.source["attributes"]
    operation, model = (attributes.get(name) for name in (_REQUIRED[0], _REQUIRED[2]))
    if span.name != f"{operation} {model}":
        yield "other span names"
    # MLflow does not store the kind.
    if span.kind not in {"CLIENT", None}:
        yield f"kind {span.kind}"
    # What MLflow stores of a span without a status is its own.
    if span.status == "OK" and span.kind:
        yield "status OK"
    if span.status == "ERROR" and "error.type" not in attributes:
        yield "no `error.type`"
    yield from (f"no `{name}`" for name in _REQUIRED if name not in attributes)
    for name, value in attributes.items():
        yield from _attribute_problems(name, value)


def _attribute_problems(name: str, value: Any) -> Iterator[str]:
    if name not in TYPES:
        return
    if name in SCHEMAS:
        # MLflow stores the parsed JSON.
        content = json.loads(value) if isinstance(value, str) else value
        yield from _content_problems(name, content)
        return
    expected = _JSON_TYPES.get(TYPES[name], TYPES[name])
    # A whole number of seconds is a float that JSON does not tell from an int.
    if type(value) is not expected and not (expected is float and type(value) is int):
        yield f"`{name}` is no {expected.__name__}"


def _content_problems(name: str, value: Any) -> Iterator[str]:
    if not _VALIDATORS[name].is_valid(value):
        yield f"`{name}` is invalid"
        return
    if not name.endswith("messages"):
        return
    for message in value:
        if message["role"] not in ROLES:
            yield f"unknown role `{message['role']}`"
        for part in message["parts"]:
            yield from _part_problems(part)


def _part_problems(part: dict[str, Any]) -> Iterator[str]:
    """The schema accepts a part of any type."""
    kind = part["type"]
    if kind not in PARTS:
        yield f"unknown part `{kind}`"
        return
    required, optional = PARTS[kind]
    names = {name for name, value in part.items() if value is not None} - {"type"}
    yield from (f"part `{kind}` without `{name}`" for name in required - names)
    yield from (f"part `{kind}` with `{name}`" for name in names - required - optional)
