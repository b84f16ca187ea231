"""Chat and FIM completions, from the request body to a response ready to be sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from ._assistant_message import compose_assistant_message
from ._chat_request import ChatRequest
from ._errors import validation_error
from ._fim import FimEncoder, fim_text
from ._json import array_items, object_fields
from ._messages_encoding import MessagesEncoder, messages_usage
from ._messages_request import MESSAGES_REQUEST, chat_body, chat_tool_choice
from ._model_output import AssistantMessage, generate
from ._models import CONTEXT_WINDOW, SERVING_MODELS
from ._prompt import PROMPT_START, prompt_tokens
from ._request_parsing import parse_request_body
from ._request_schema import CHAT_REQUEST, FIM_REQUEST
from ._request_validation import validate_chat_request, validate_fim_request
from ._response_encoding import ChatEncoder, ResponseEnvelope, token_usage
from ._tokenizer import tokenize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._exchange import Exchange
    from ._faults import Fault
    from ._model_output import ModelOutput
    from ._prompt_cache import PromptCache

_DEFAULT_FIM_MAX_TOKENS = 4096


class Encoder(Protocol):
    # What follows the last event, and the start of an event with an error.
    done_event: ClassVar[bytes]
    error_prefix: ClassVar[bytes]

    def encode_body(self, output: ModelOutput, usage: dict[str, Any]) -> bytes: ...
    def encode_events(
        self, output: ModelOutput, usage: dict[str, Any]
    ) -> Iterator[bytes]: ...


@dataclass
class Completion:
    """The output for one request, to be sent as a whole body or as events."""

    output: ModelOutput
    usage: dict[str, Any]
    encoder: Encoder
    stream: bool

    @property
    def body(self) -> bytes:
        return self.encoder.encode_body(self.output, self.usage)

    @property
    def events(self) -> list[bytes]:
        """All events except the final one; the last has finish reason and usage."""
        return list(self.encoder.encode_events(self.output, self.usage))


def create_chat_completion(
    exchange: Exchange, cache: PromptCache, fault: Fault, *, beta: bool
) -> Completion:
    """Returns the completion for a chat request.

    Raises ApiError if the request is invalid.
    """
    body = parse_request_body(exchange.request_body, CHAT_REQUEST)
    validate_chat_request(body, beta=beta)
    request = ChatRequest.from_body(body)
    output, usage = _complete(request, exchange, cache, fault)
    encoder = ChatEncoder(
        ResponseEnvelope(request.model),
        thinking=request.thinking,
        has_prefix=request.prefix is not None,
        include_usage=request.include_usage,
        logprobs=request.logprobs,
        top_logprobs=request.top_logprobs,
    )
    return Completion(output, usage, encoder, request.stream)


def create_message(exchange: Exchange, cache: PromptCache, fault: Fault) -> Completion:
    """Returns the completion for a request in Anthropic's format.

    Raises ApiError if the request is invalid.
    """
    body = parse_request_body(exchange.request_body, MESSAGES_REQUEST)
    converted = chat_body(body)
    validate_chat_request(converted, beta=True)
    # Thinking supports every choice here, unlike in a chat request.
    request = replace(
        ChatRequest.from_body(converted), tool_choice=chat_tool_choice(body)
    )
    output, usage = _complete(request, exchange, cache, fault)
    encoder = MessagesEncoder(ResponseEnvelope(request.model), request.stop)
    return Completion(output, messages_usage(usage), encoder, request.stream)


def _complete(
    request: ChatRequest, exchange: Exchange, cache: PromptCache, fault: Fault
) -> tuple[ModelOutput, dict[str, Any]]:
    """Returns the output and the usage."""
    prompt = prompt_tokens(request)
    max_tokens = _max_output_tokens(
        len(prompt), request.max_tokens, _default_max_tokens(request)
    )
    output = generate(
        compose_assistant_message(request),
        thinking=request.thinking and request.prefix is None,
        stop=request.stop,
        max_tokens=max_tokens,
    )
    usage = _finish(
        f"{exchange.api_key}\0{request.user_id}\0{request.model}",
        prompt,
        output,
        fault,
        cache,
        thinking=request.thinking,
    )
    return output, usage


def create_fim_completion(
    exchange: Exchange, cache: PromptCache, fault: Fault
) -> Completion:
    """Returns the completion for a FIM request.

    Raises ApiError if the request is invalid.
    """
    body = parse_request_body(exchange.request_body, FIM_REQUEST)
    validate_fim_request(body)
    suffix = body.get("suffix") or ""
    prompt = [PROMPT_START, *tokenize(body["prompt"]), *tokenize(suffix)]
    max_tokens = _max_output_tokens(
        len(prompt), body.get("max_tokens"), _DEFAULT_FIM_MAX_TOKENS
    )
    stop = body.get("stop")
    output = generate(
        AssistantMessage(fim_text(body["prompt"], suffix)),
        thinking=False,
        stop=[stop] if isinstance(stop, str) else array_items(stop),
        max_tokens=max_tokens,
    )
    model = SERVING_MODELS[body["model"]]
    usage = _finish(
        f"{exchange.api_key}\0fim\0{model}",
        prompt,
        output,
        fault,
        cache,
        thinking=False,
    )
    stream_options = object_fields(body.get("stream_options"))
    encoder = FimEncoder(
        ResponseEnvelope(model),
        include_usage=bool(stream_options.get("include_usage")),
        logprobs=body.get("logprobs"),
        echo=body["prompt"] if body.get("echo") else "",
    )
    return Completion(output, usage, encoder, bool(body.get("stream")))


def _finish(
    cache_owner: str,
    prompt: list[str],
    output: ModelOutput,
    fault: Fault,
    cache: PromptCache,
    *,
    thinking: bool,
) -> dict[str, Any]:
    """Truncates the output if `fault` says so, adds it to the cache, returns usage."""
    if fault.finish_reason:
        output.truncate(fault.finish_reason, fault.after_chunks)
    cache_hit_tokens = cache.hit(cache_owner, prompt)
    cache.add(cache_owner, prompt + output.tokens)
    return token_usage(output, len(prompt), cache_hit_tokens, thinking=thinking)


def _default_max_tokens(request: ChatRequest) -> int:
    if not request.thinking:
        return 8192
    return 131_072 if request.effort == "max" else 65_536


def _max_output_tokens(prompt_length: int, max_tokens: int | None, default: int) -> int:
    """Returns the limit of the output in tokens.

    Raises ApiError (400) if prompt and `max_tokens` exceed the context window.
    """
    requested = max_tokens or 0
    total = prompt_length + requested
    if total > CONTEXT_WINDOW:
        raise validation_error(
            f"This model's maximum context length is {CONTEXT_WINDOW} tokens. However,"
            f" you requested {total} tokens ({prompt_length} in the messages,"
            f" {requested} in the completion). Please reduce the length of the messages"
            " or completion.",
            with_request_id=True,
        )
    return max(1, max_tokens or min(default, CONTEXT_WINDOW - prompt_length))
