"""Writes results.md, one row per client."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ._span_checks import Response

if TYPE_CHECKING:
    from ._clients import Client

_HEAD = """\
# Third-party clients

Written by `python -m tests.clients --results FILE`, which fails unless the spans hold
exactly what the HTTP traffic contained. "3 of 4": three recorded out of four sent by
[the simulator](../../examples/simulator).

| client | version | openai SDK | spans of HTTP exchanges | streamed | reasoning \
| tool calls | note |
|---|---|---|---|---|---|---|---|
"""
_REASONING_ERROR = "must be passed back"


def table(rows: list[tuple[Client, dict[str, Any]]]) -> str:
    return _HEAD + "".join(_row(client, record) for client, record in rows)


def _row(client: Client, record: dict[str, Any]) -> str:
    exchanges, spans = record["exchanges"], record["spans"]
    responses = [
        Response.read(e["response_body"]) for e in exchanges if e["status"] == 200
    ]
    reasonings = sum("reasoning" in response.texts for response in responses)
    tool_calls = sum(len(response.tools) for response in responses)
    recorded_types = [
        part["type"]
        for span in spans
        for message in json.loads(
            span["attributes"].get("gen_ai.output.messages", "[]")
        )
        for part in message["parts"]
    ]
    cells = (
        client.name,
        record["version"],
        record["openai"],
        f"{len(spans)} of {len(exchanges)}",
        sum(bool(span["attributes"].get("gen_ai.request.stream")) for span in spans),
        f"{recorded_types.count('reasoning')} of {reasonings}",
        f"{recorded_types.count('tool_call')} of {tool_calls}",
        "; ".join(_notes(client, record)),
    )
    return f"| {' | '.join(map(str, cells))} |\n"


def _notes(client: Client, record: dict[str, Any]) -> list[str]:
    notes = [client.note] if client.note else []
    if any(
        _REASONING_ERROR in exchange["response_body"]
        for exchange in record["exchanges"]
        if exchange["status"] == 400
    ):
        notes.append(
            "does not send `reasoning_content` back: with thinking, DeepSeek refuses "
            "(400) the turn after a tool call"
        )
    return notes
