"""results.md: what was seen, a row for each client."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ._checking import Answer

if TYPE_CHECKING:
    from ._clients import Client

_HEAD = """\
# Third-party clients under our instrumentation

Written by `python -m tests.clients --results FILE`, which fails unless the spans have
what went over the wire, word for word. "3 of 4": three recorded, four answered by
[the simulator](../../examples/simulator).

| client | version | openai | spans of exchanges | streamed | reasoning | tool calls \
| note |
|---|---|---|---|---|---|---|---|
"""
_PASS_BACK = "must be passed back"


def table(rows: list[tuple[Client, dict[str, Any]]]) -> str:
    return _HEAD + "".join(_row(client, seen) for client, seen in rows)


def _row(client: Client, seen: dict[str, Any]) -> str:
    exchanges, spans = seen["exchanges"], seen["spans"]
    answers = [Answer.read(e["answer"]) for e in exchanges if e["status"] == 200]
    thoughts = sum("reasoning" in answer.texts for answer in answers)
    calls = sum(len(answer.tools) for answer in answers)
    recorded = [
        part["type"]
        for span in spans
        for message in json.loads(
            span["attributes"].get("gen_ai.output.messages", "[]")
        )
        for part in message["parts"]
    ]
    cells = (
        client.name,
        seen["version"],
        seen["openai"],
        f"{len(spans)} of {len(exchanges)}",
        sum(bool(span["attributes"].get("gen_ai.request.stream")) for span in spans),
        f"{recorded.count('reasoning')} of {thoughts}",
        f"{recorded.count('tool_call')} of {calls}",
        "; ".join(_notes(client, seen)),
    )
    return f"| {' | '.join(map(str, cells))} |\n"


def _notes(client: Client, seen: dict[str, Any]) -> list[str]:
    notes = [client.remark] if client.remark else []
    if any(_PASS_BACK in e["answer"] for e in seen["exchanges"] if e["status"] == 400):
        notes.append(
            "does not send `reasoning_content` back: while it thinks, DeepSeek refuses "
            "(400) the turn after a tool call"
        )
    return notes
