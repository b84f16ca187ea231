"""Responses made of JSON, in the formats that DeepSeek and gateways send."""

from __future__ import annotations

import json
from typing import Any

from examples.simulator import RecordedResponse

Json = dict[str, Any]


def json_response(body: Any) -> RecordedResponse:
    return RecordedResponse(body=json.dumps(body).encode())


def event_stream(*events: Json) -> RecordedResponse:
    data = [json.dumps(event) for event in events] + ["[DONE]"]
    return RecordedResponse(
        headers={"content-type": "text/event-stream"},
        body="".join(f"data: {item}\n\n" for item in data).encode(),
    )


def completion(*choices: Json, **fields: Any) -> RecordedResponse:
    body = {"id": "1", "object": "chat.completion", "model": "deepseek-flash"}
    return json_response(body | {"choices": list(choices)} | fields)


def choice(*, finish_reason: str = "stop", index: int = 0, **message: Any) -> Json:
    message = {"role": "assistant", "content": None} | message
    return {"index": index, "finish_reason": finish_reason, "message": message}


def chunk(*, finish_reason: str | None = None, **delta: Any) -> Json:
    return {
        "id": "1",
        "object": "chat.completion.chunk",
        "model": "deepseek-flash",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
    }


def stream(*deltas: Json) -> RecordedResponse:
    """Returns a stream of one choice that ends with the finish reason `stop`."""
    return event_stream(
        *(chunk(**delta) for delta in deltas), chunk(finish_reason="stop", content="")
    )
