"""Fill-in-the-middle (FIM) completion: text between a prompt and a suffix."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ._logprobs import token_logprob, top_logprobs
from ._response_encoding import DATA_PREFIX, DONE_EVENT, encode_event, encode_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._model_output import ModelOutput, OutputChunk
    from ._response_encoding import ResponseEnvelope


def fim_text(prompt: str, suffix: str) -> str:
    """Returns text that fits: the body of a Python function, or a few words."""
    functions = re.findall(r"def (\w+)\(([^)]*)\)[^:]*:\s*$", prompt)
    if not functions:
        return " and then it goes on" if suffix else " and that is how it ends."
    parameters = functions[-1][1]
    parameter = parameters.split(",")[0].split(":")[0].split("=")[0].strip()
    indent = "" if prompt.endswith(("    ", "\t")) else "    "
    start = indent if prompt.endswith(("\n", " ", "\t")) else "\n    "
    if not parameter:
        return f"{start}pass\n"
    if "(" in suffix:  # the suffix probably recurses, so the base case is missing
        return f"{start}if {parameter} <= 1:\n        return {parameter}\n"
    return f"{start}return {parameter}\n"


@dataclass
class FimEncoder:
    """Encodes the output of a FIM request as a whole body or as events."""

    envelope: ResponseEnvelope
    include_usage: bool = False
    logprobs: int | None = None
    echo: str = ""  # the prompt, if the response is to start with it

    done_event: ClassVar[bytes] = DONE_EVENT
    error_prefix: ClassVar[bytes] = DATA_PREFIX

    def encode_body(self, output: ModelOutput, usage: dict[str, Any]) -> bytes:
        text = self.echo + output.text("content")
        text_chunks = [chunk for chunk in output.chunks if chunk.text]
        choice = self._choice(text, self._logprobs(text_chunks), output.finish_reason)
        return encode_json(self.envelope.completion("text_completion", choice, usage))

    def encode_events(
        self, output: ModelOutput, usage: dict[str, Any]
    ) -> Iterator[bytes]:
        """Yields all events except [DONE]; the last has finish reason and usage."""
        if self.echo:
            yield self._event(self.echo)
        offset = 0
        for chunk in output.chunks:
            if chunk.text:
                yield self._event(chunk.text, self._logprobs([chunk], offset))
                offset += len(chunk.text)
        yield self._event("", finish_reason=output.finish_reason, usage=usage)

    def _event(
        self,
        text: str,
        logprobs: Any = None,
        finish_reason: str | None = None,
        usage: dict[str, Any] | None = None,
    ) -> bytes:
        usage_field = {"usage": usage} if usage or self.include_usage else {}
        choice = self._choice(text, logprobs, finish_reason)
        return encode_event(self.envelope.chunk("text_completion", choice, usage_field))

    @staticmethod
    def _choice(text: str, logprobs: Any, finish_reason: str | None) -> dict[str, Any]:
        return {
            "finish_reason": finish_reason,
            "index": 0,
            "logprobs": logprobs,
            "text": text,
        }

    def _logprobs(
        self, chunks: list[OutputChunk], offset: int = 0
    ) -> dict[str, Any] | None:
        if self.logprobs is None:
            return None
        offsets: list[int] = []
        for chunk in chunks:
            offsets.append(offset)
            offset += len(chunk.text)
        return {
            "text_offset": offsets,
            "token_logprobs": [token_logprob(chunk.text) for chunk in chunks],
            "tokens": [chunk.text for chunk in chunks],
            "top_logprobs": [self._top_logprobs(chunk.text) for chunk in chunks],
        }

    def _top_logprobs(self, token: str) -> dict[str, float]:
        return {
            entry["token"]: entry["logprob"]
            for entry in top_logprobs(token, self.logprobs or 0)
        }
