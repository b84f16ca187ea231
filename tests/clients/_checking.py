"""What the spans have to say, by what went over the wire."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Answer:
    """As DeepSeek sent it, whole or in chunks."""

    id: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    tools: dict[int, list[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, body: str) -> Answer:
        answer = cls()
        lines = [line[6:] for line in body.splitlines() if line.startswith("data: {")]
        for sent in map(json.loads, lines or [body]):
            answer.id = sent.get("id", "")
            for choice in sent.get("choices", ()):
                answer._add(choice.get("delta") or choice.get("message"))
        return answer

    def _add(self, said: dict[str, Any]) -> None:
        for name, kind in (("reasoning_content", "reasoning"), ("content", "text")):
            if piece := said.get(name):
                self.texts[kind] = self.texts.get(kind, "") + piece
        for call in said.get("tool_calls") or ():
            tool = self.tools.setdefault(call["index"], ["", ""])
            function = call["function"]
            tool[0] += function.get("name") or ""
            tool[1] += function.get("arguments") or ""

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


def faults(seen: dict[str, Any]) -> list[str]:
    """What is wrong with the telemetry; the client's own errors are not."""
    exchanges, spans = seen["exchanges"], seen["spans"]
    found = [f"logged: {warning}" for warning in seen["warnings"]]
    if not exchanges:
        found.append("nothing was asked")
    if seen["started"] != len(spans):
        found.append(f"{seen['started']} spans started, {len(spans)} ended")
    if len(spans) != len(exchanges):
        found.append(f"{len(exchanges)} exchanges, {len(spans)} spans")
    if all(error(said) for said in seen["said"].values()):
        found.append("no way of asking works")
    answered = {
        span["attributes"].get("gen_ai.response.id"): span
        for span in spans
        if span["status"]["status_code"] != "ERROR"
    }
    for exchange in exchanges:
        if exchange["status"] == 200:
            answer = Answer.read(exchange["answer"])
            if (span := answered.pop(answer.id, None)) is None:
                found.append(f"no span for answer {answer.id}")
            else:
                found += _differing(exchange, answer, span["attributes"])
    found += [f"a span for no answer: {name}" for name in answered]
    refused = sorted(e["status"] for e in exchanges if e["status"] != 200)
    failed = [s["attributes"] for s in spans if s["status"]["status_code"] == "ERROR"]
    if refused != sorted(a.get("http.response.status_code") for a in failed):
        found.append(f"refused with {refused}, recorded {failed}")
    return found


def _differing(
    exchange: dict[str, Any], answer: Answer, attributes: dict[str, Any]
) -> list[str]:
    usage = exchange["usage"]
    expected = {
        "gen_ai.provider.name": "deepseek",
        "gen_ai.usage.input_tokens": usage["prompt_tokens"],
        "gen_ai.usage.output_tokens": usage["completion_tokens"],
        "gen_ai.request.stream": exchange["asked"].get("stream") or None,
    }
    found = [
        f"{name} is {attributes.get(name)!r}, not {value!r}"
        for name, value in expected.items()
        if attributes.get(name) != value
        # `stream=False` is a fact of the request, too.
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
    if parts != answer.parts:
        found.append(f"recorded {parts}, answered {answer.parts}")
    return found


def error(said: str) -> bool:
    return said.partition(":")[0].endswith(("Error", "Exception"))
