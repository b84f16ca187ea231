"""Facts about the spans: their number, their end, their parent and their status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ._cell import Cell, in_part, no, of_all, yes

if TYPE_CHECKING:
    from ._cell import Runs
    from ._record import Call

_CALLS_WITH_ONE_SPAN: Final = {
    "chat": "a call",
    "stream": "a stream",
    "tools": "a call",
    "stream_tools": "a stream",
    "json_mode": "`parse`",
    "stream_helper": "`stream`",
    "error": "an error",
    "retry": "a retried call",
    "async_chat": "a call",
    "async_stream": "a stream",
    "application": "a call",
}
_STREAMS: Final = {
    "stream": "a stream",
    "stream_tools": "a stream with tools",
    "async_stream": "an asynchronous stream",
}
# Of the time from the first to the last chunk.
_SHARE_OF_THE_STREAM: Final = 0.9
_FIM_PROMPT: Final = "def add(a, b):"


def one_span_per_call(runs: Runs) -> Cell:
    results: dict[str, Cell] = {}
    for name, title in _CALLS_WITH_ONE_SPAN.items():
        call = runs.content[name]
        count = len(call.spans)
        cell = yes() if count == 1 else no(f"{count} spans" if count else "no span")
        if results.setdefault(title, cell) == yes():
            results[title] = cell
    combined = of_all(results.items())
    if any(runs.content[name].http_spans for name in _CALLS_WITH_ONE_SPAN):
        note = "; ".join(
            filter(None, [combined.note, "besides one for each HTTP request"])
        )
        return Cell(combined.value, note)
    return combined


def ends_with_last_byte(runs: Runs) -> Cell:
    return of_all(
        (title, _ends_with_last_byte(runs.content[name]))
        for name, title in _STREAMS.items()
    )


def _ends_with_last_byte(call: Call) -> Cell:
    if not call.spans:
        return no("no span")
    # A second span that only marks the end of the stream does not count.
    span = min(call.spans, key=lambda span: span.start_ns)
    duration = call.last_chunk_ns - call.first_chunk_ns
    if span.end_ns >= call.first_chunk_ns + duration * _SHARE_OF_THE_STREAM:
        return yes()
    return no("the span ends when the stream is returned")


def left_streams_end(runs: Runs) -> Cell:
    return of_all(
        (title, _left_stream_ends(runs.content[name]))
        for name, title in (
            ("stream_closed", "`with stream`"),
            ("stream_left", "`break` without `close()`"),
        )
    )


def _left_stream_ends(call: Call) -> Cell:
    if not call.spans:
        return no("no span")
    if any(span.status == "ERROR" for span in call.spans):
        return in_part("the span has the status ERROR")
    return yes()


def partial_answers(runs: Runs) -> Cell:
    return of_all(
        (title, _has_partial_answer(runs.content[name]))
        for name, title in (
            ("stream_closed", "`with stream`"),
            ("stream_left", "`break` without `close()`"),
            ("stream_dropped", "a broken stream"),
            ("stream_cut", "a stream without a finish reason"),
        )
    )


def _has_partial_answer(call: Call) -> Cell:
    text = call.results.get("text", "")
    return yes() if text and call.has_text(text) else no()


def broken_stream_is_error(runs: Runs) -> Cell:
    return _is_error(runs.content["stream_dropped"])


def cut_stream_is_error(runs: Runs) -> Cell:
    return _is_error(runs.content["stream_cut"])


def _is_error(call: Call) -> Cell:
    if not call.spans:
        return no("no span")
    statuses = {span.status for span in call.spans}
    return yes() if "ERROR" in statuses else no(f"status {statuses.pop()}")


def child_of_application_span(runs: Runs) -> Cell:
    call = runs.content["application"]
    parent_id = call.results["application span"]
    spans = [*call.spans, *call.http_spans]
    is_child = any(span.parent_id == parent_id for span in spans)
    return yes() if call.spans and is_child else no()


def fim(runs: Runs) -> Cell:
    return _prompt_and_answer(runs.content["fim"], _FIM_PROMPT)


def responses_api(runs: Runs) -> Cell:
    call = runs.content["responses"]
    if not call.spans:
        return no("no span")
    texts = [
        part["text"]
        for item in call.exchange_json["output"]
        for part in item.get("content") or ()
        if part["type"] == "output_text"
    ]
    if texts and all(call.has_text(text) for text in texts):
        return yes()
    return in_part("a span without the answer")


def raw_responses(runs: Runs) -> Cell:
    return of_all(
        (title, _prompt_and_answer(runs.content[name], "strawberry"))
        for name, title in (
            ("raw_response", "`with_raw_response`"),
            ("raw_stream", "a stream of it"),
            ("streaming_response", "`with_streaming_response`"),
        )
    )


def _prompt_and_answer(call: Call, prompt: str) -> Cell:
    if not call.spans:
        return no("no span")
    answer = call.response.text
    if not (answer and call.has_text(answer)):
        return in_part("a span without the answer")
    return yes() if call.has_text(prompt) else in_part("a span without the prompt")
