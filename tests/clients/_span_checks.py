"""Compares the recorded spans with the HTTP traffic."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Response:
    """A response of DeepSeek, assembled from its chunks if it was streamed."""

    id: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    tools: dict[int, list[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, body: str) -> Response:
        response = cls()
        lines = [line[6:] for line in body.splitlines() if line.startswith("data: {")]
        for chunk in map(json.loads, lines or [body]):
            if "type" in chunk:  # Anthropic's format
                response._add_message_or_event(chunk)
                continue
            response.id = chunk.get("id", "")
            for choice in chunk.get("choices", ()):
                response._add(choice.get("delta") or choice.get("message"))
        return response

    def _add(self, message: dict[str, Any]) -> None:
        for name, kind in (("reasoning_content", "reasoning"), ("content", "text")):
            if text := message.get(name):
                self.texts[kind] = self.texts.get(kind, "") + text
        for call in message.get("tool_calls") or ():
            tool = self.tools.setdefault(call["index"], ["", ""])
            function = call["function"]
            tool[0] += function.get("name") or ""
            tool[1] += function.get("arguments") or ""

    def _add_message_or_event(self, event: dict[str, Any]) -> None:
        message = event.get("message", event)
        self.id = message.get("id", self.id)
        index = event.get("index", 0)
        blocks = [event["content_block"]] if "content_block" in event else []
        for position, block in enumerate(message.get("content", blocks), index):
            if block["type"] == "tool_use":
                arguments = json.dumps(block["input"]) if block["input"] else ""
                self.tools[position] = [block["name"], arguments]
            else:
                self._add_delta(position, block)
        self._add_delta(index, event.get("delta", {}))

    def _add_delta(self, index: int, delta: dict[str, Any]) -> None:
        for name, kind in (("thinking", "reasoning"), ("text", "text")):
            if text := delta.get(name):
                self.texts[kind] = self.texts.get(kind, "") + text
        if arguments := delta.get("partial_json"):
            self.tools[index][1] += arguments

    @property
    def parts(self) -> list[tuple[str, Any]]:
        return [
            *(
                (kind, self.texts[kind])
                for kind in ("reasoning", "text")
                if kind in self.texts
            ),
            *(
                ("tool_call", (name, json.loads(arguments)))
                for name, arguments in self.tools.values()
            ),
        ]


def mismatches(record: dict[str, Any]) -> list[str]:
    """Returns what is wrong with the telemetry; errors of the client do not count."""
    exchanges, spans = record["exchanges"], record["spans"]
    problems = [f"logged: {warning}" for warning in record["warnings"]]
    if not exchanges:
        problems.append("no request was sent")
    if record["started"] != len(spans):
        problems.append(f"{record['started']} spans started, {len(spans)} ended")
    if len(spans) != len(exchanges):
        problems.append(f"{len(exchanges)} exchanges, {len(spans)} spans")
    if all(is_error(output) for output in record["outputs"].values()):
        problems.append("every call of the client failed")
    spans_by_response_id = {
        span["attributes"].get("gen_ai.response.id"): span
        for span in spans
        if span["status"]["status_code"] != "ERROR"
    }
    for exchange in exchanges:
        if exchange["status"] == 200:
            response = Response.read(exchange["response_body"])
            if (span := spans_by_response_id.pop(response.id, None)) is None:
                problems.append(f"no span for response {response.id}")
            else:
                problems += _attribute_mismatches(
                    exchange, response, span["attributes"]
                )
    problems += [f"span without a response: {id_}" for id_ in spans_by_response_id]
    error_statuses = sorted(e["status"] for e in exchanges if e["status"] != 200)
    failed = [s["attributes"] for s in spans if s["status"]["status_code"] == "ERROR"]
    if error_statuses != sorted(a.get("http.response.status_code") for a in failed):
        problems.append(f"error statuses {error_statuses}, recorded {failed}")
    return problems


def _attribute_mismatches(
    exchange: dict[str, Any], response: Response, attributes: dict[str, Any]
) -> list[str]:
    usage = exchange["usage"]
    if "prompt_tokens" in usage:
        input_tokens, output_tokens = usage["prompt_tokens"], usage["completion_tokens"]
    else:  # Anthropic's format leaves out cached tokens
        input_tokens = usage["input_tokens"] + usage["cache_read_input_tokens"]
        output_tokens = usage["output_tokens"]
    expected = {
        "gen_ai.provider.name": "deepseek",
        "gen_ai.usage.input_tokens": input_tokens,
        "gen_ai.usage.output_tokens": output_tokens,
        "gen_ai.request.stream": exchange["request"].get("stream") or None,
    }
    problems = [
        f"{name} is {attributes.get(name)!r}, not {value!r}"
        for name, value in expected.items()
        if attributes.get(name) != value
        # An explicit `stream=False` is recorded as well.
        and not (value is None and attributes.get(name) is False)
    ]
    (message,) = json.loads(attributes["gen_ai.output.messages"])
    parts = [
        (
            part["type"],
            (part["name"], part["arguments"])
            if part["type"] == "tool_call"
            else part["content"],
        )
        for part in message["parts"]
    ]
    if parts != response.parts:
        problems.append(f"recorded {parts}, expected {response.parts}")
    return problems


def is_error(output: str) -> bool:
    return output.partition(":")[0].endswith(("Error", "Exception"))
