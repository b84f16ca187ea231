"""From a checked body to an answer that is ready to be sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from . import _request_schema as _schema
from ._assistant_message import reply_to
from ._chat_request import ChatRequest
from ._errors import invalid
from ._fim import FimWire, fim_text
from ._json import fields, items
from ._model_output import Reply, write
from ._models import CONTEXT, SERVED_BY
from ._prompt import BEGIN, prompt_tokens
from ._request_parsing import read
from ._request_validation import check_chat, check_fim
from ._response_encoding import ChatWire, Envelope, usage_of
from ._tokenizer import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._exchange import Exchange
    from ._faults import Fault
    from ._model_output import Writing
    from ._prompt_cache import PromptCache

_FIM_LIMIT = 4096  # tokens


class Wire(Protocol):
    def body(self, writing: Writing, usage: dict[str, Any]) -> bytes: ...
    def events(self, writing: Writing, usage: dict[str, Any]) -> Iterator[bytes]: ...


@dataclass
class Answer:
    """All that is to be sent, whole or in events."""

    writing: Writing
    usage: dict[str, Any]
    wire: Wire
    stream: bool

    @property
    def body(self) -> bytes:
        return self.wire.body(self.writing, self.usage)

    @property
    def events(self) -> list[bytes]:
        """All but [DONE]; the last has finish reason and usage."""
        return list(self.wire.events(self.writing, self.usage))


def chat(exchange: Exchange, cache: PromptCache, fault: Fault, *, beta: bool) -> Answer:
    body = read(exchange.body, _schema.CHAT)
    check_chat(body, beta=beta)
    request = ChatRequest.of(body)
    prompt = prompt_tokens(request)
    limit = _fitting(len(prompt), request.max_tokens, _default_limit(request))
    prefixed = request.prefix is not None
    writing = write(
        reply_to(request),
        thinking=request.thinking and not prefixed,
        stop=request.stop,
        limit=limit,
    )
    usage = _account(
        f"{exchange.key}\0{request.user_id}\0{request.model}",
        prompt,
        writing,
        fault,
        cache,
        thinking=request.thinking,
    )
    wire = ChatWire(
        Envelope(request.model),
        thinking=request.thinking,
        prefixed=prefixed,
        include_usage=request.include_usage,
        logprobs=request.logprobs,
        top_logprobs=request.top_logprobs,
    )
    return Answer(writing, usage, wire, request.stream)


def fim(exchange: Exchange, cache: PromptCache, fault: Fault, *, beta: bool) -> Answer:
    """Fill in the middle; the caller has seen to it that this is the beta base."""
    del beta
    body = read(exchange.body, _schema.FIM)
    check_fim(body)
    prompt = [BEGIN, *tokens(body["prompt"]), *tokens(body.get("suffix") or "")]
    limit = _fitting(len(prompt), body.get("max_tokens"), _FIM_LIMIT)
    stop = body.get("stop")
    writing = write(
        Reply(fim_text(body["prompt"], body.get("suffix") or "")),
        thinking=False,
        stop=[stop] if isinstance(stop, str) else items(stop),
        limit=limit,
    )
    model = SERVED_BY[body["model"]]
    usage = _account(
        f"{exchange.key}\0fim\0{model}", prompt, writing, fault, cache, thinking=False
    )
    wire = FimWire(
        Envelope(model),
        include_usage=bool(fields(body.get("stream_options")).get("include_usage")),
        logprobs=body.get("logprobs"),
        echo=body["prompt"] if body.get("echo") else "",
    )
    return Answer(writing, usage, wire, bool(body.get("stream")))


def _account(
    owner: str,
    prompt: list[str],
    writing: Writing,
    fault: Fault,
    cache: PromptCache,
    *,
    thinking: bool,
) -> dict[str, Any]:
    """End the answer early if it is to fail, count it and remember it."""
    if fault.finish:
        writing.end(fault.finish, fault.after)
    hit = cache.hit(owner, prompt)
    cache.add(owner, prompt + writing.tokens)
    return usage_of(writing, len(prompt), hit, thinking=thinking)


def _default_limit(request: ChatRequest) -> int:
    if not request.thinking:
        return 8192
    return 131_072 if request.effort == "max" else 65_536


def _fitting(prompt: int, asked: int | None, default: int) -> int:
    """The tokens left for the answer; more than the context holds is a 400."""
    wanted = asked or 0
    if prompt + wanted > CONTEXT:
        raise invalid(
            f"This model's maximum context length is {CONTEXT} tokens. However, you"
            f" requested {prompt + wanted} tokens ({prompt} in the messages, {wanted}"
            " in the completion). Please reduce the length of the messages or"
            " completion.",
            with_request_id=True,
        )
    return max(1, asked or min(default, CONTEXT - prompt))
