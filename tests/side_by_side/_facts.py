"""The facts of the table, in its order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from . import _content_facts as content
from . import _program_facts as program
from . import _span_facts as spans
from . import _usage_facts as usage
from ._conventions import conventions

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._cell import Cell, Runs


@dataclass(frozen=True)
class Fact:
    """`is_in_summary`: the table of the documentation has the fact."""

    title: str
    description: str
    check: Callable[[Runs], Cell]
    is_in_summary: bool = True


FACTS: Final = (
    Fact(
        "one span per call",
        "also for streams, `parse`, `stream`, errors, retries and asynchronous calls; "
        "spans of HTTP requests do not count",
        spans.one_span_per_call,
    ),
    Fact(
        "span ends with the stream",
        "with its last chunk, not when the method returns the stream",
        spans.ends_with_last_byte,
    ),
    Fact(
        "stream left early",
        "it has a span, without the status ERROR, whether the program closes the "
        "stream or only stops reading it",
        spans.left_streams_end,
    ),
    Fact(
        "broken stream",
        "the span has the status ERROR if the connection breaks",
        spans.broken_stream_is_error,
    ),
    Fact(
        "stream without a finish reason",
        "the span has the status ERROR if the stream ends before the answer does. The "
        "SDK raises nothing",
        spans.cut_stream_is_error,
    ),
    Fact(
        "part of an answer",
        "the text that arrived of a stream that is left or broken",
        spans.partial_answers,
    ),
    Fact(
        "fill-in-the-middle",
        "prompt and answer of `completions.create`",
        spans.fim,
    ),
    Fact(
        "Responses API",
        "the answer of `responses.create`",
        spans.responses_api,
        is_in_summary=False,
    ),
    Fact(
        "raw responses",
        "question and answer with `with_raw_response`, also of a stream, and with "
        "`with_streaming_response`",
        spans.raw_responses,
    ),
    Fact(
        "application span",
        "the span of the call is its child",
        spans.child_of_application_span,
        is_in_summary=False,
    ),
    Fact(
        "question and answer",
        "of calls and streams, synchronous and asynchronous",
        content.questions_and_answers,
    ),
    Fact(
        "no content by default",
        "without a setting, no text of question, answer, reasoning and tool calls is "
        "recorded",
        content.no_content_by_default,
    ),
    Fact("reasoning", "of a call and of a stream", content.reasoning),
    Fact(
        "tool definitions",
        "with description and parameters",
        content.tool_definitions,
        is_in_summary=False,
    ),
    Fact(
        "tool calls",
        "name and arguments, of a call and of a stream",
        content.tool_calls,
        is_in_summary=False,
    ),
    Fact(
        "tool results",
        "as the next request has them",
        content.tool_results,
        is_in_summary=False,
    ),
    Fact(
        "tokens of a call",
        "input and output, as billed",
        usage.tokens_of_calls,
        is_in_summary=False,
    ),
    Fact(
        "tokens of a stream",
        "input and output, as billed, without `stream_options`",
        usage.tokens_of_streams,
    ),
    Fact(
        "cache-hit tokens",
        "as billed, also 0",
        usage.cache_hit_tokens,
    ),
    Fact(
        "reasoning tokens",
        "as billed, of a call and of a stream",
        usage.reasoning_tokens,
    ),
    Fact(
        "cost",
        "DeepSeek's price at the time of the call",
        usage.cost,
    ),
    Fact("provider `deepseek`", "as the provider of the call", usage.provider),
    Fact(
        "models",
        "of the request and of the response, which are not the same here",
        usage.models,
        is_in_summary=False,
    ),
    Fact(
        "finish reason",
        "of calls and streams, with and without tool calls",
        usage.finish_reasons,
        is_in_summary=False,
    ),
    Fact(
        "time to first chunk",
        "of a stream, on its span",
        usage.time_to_first_chunk,
    ),
    Fact(
        "server",
        "address and port",
        usage.server,
        is_in_summary=False,
    ),
    Fact(
        "error type and HTTP status",
        "of an error 401, as attributes or events",
        program.error_type_and_status,
    ),
    Fact(
        "no part of the API key",
        "the message of DeepSeek's error 401 quotes the end of the key",
        program.no_secret,
    ),
    Fact(
        "visible retry",
        "a call that the SDK repeats after an error 429 differs from one that succeeds "
        "at once",
        program.retry_is_visible,
        is_in_summary=False,
    ),
    Fact(
        "metrics",
        "histograms of the duration and of the tokens, in the process of the program",
        program.metrics,
    ),
    Fact(
        "GenAI conventions",
        "names, kinds, status, attributes and messages of the spans follow "
        "OpenTelemetry's conventions of November 2026, as far as they are stored; `no` "
        "if the spans have none of their attributes",
        conventions,
    ),
    Fact(
        "request unchanged",
        "body and headers are the same as without the instrumentation",
        program.request_is_unchanged,
    ),
    Fact(
        "result unchanged",
        "types, texts and exceptions are the same as without the instrumentation",
        program.results_are_unchanged,
    ),
)


def check_facts(runs: Runs) -> dict[str, Cell]:
    return {fact.title: fact.check(runs) for fact in FACTS}
