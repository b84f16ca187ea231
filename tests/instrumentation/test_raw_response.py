"""Responses whose body the application reads without `parse()`.

Nothing is read before the application reads, and what it reads is recorded.
"""

from __future__ import annotations

import gzip
import inspect
import json
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import StatusCode

from examples.simulator import RecordedResponse

from .conftest import SAMPLES, read_all, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry

# `httpx.read` is a method of the HTTP response within the SDK's response.
READ_METHODS = ["read", "text", "iter_bytes", "iter_text", "iter_lines", "httpx.read"]
SAMPLE_NAMES = {
    "chat.completions": ("chat_thinking.json", "stream_thinking.sse"),
    "completions": ("fim.json", "fim.sse"),
    "responses": ("responses.json", "responses_stream.sse"),
}
REQUEST_ARGUMENTS = {
    "chat.completions": {},
    "completions": {"model": "deepseek-v4-pro", "prompt": "def f("},
    "responses": {"model": "deepseek-flash", "input": "Hi"},
}


async def await_if_awaitable(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


async def enter_and_use(manager: Any, use: Callable[[Any], Any]) -> Any:
    if hasattr(manager, "__enter__"):
        with manager as response:
            return await await_if_awaitable(use(response))
    async with manager as response:
        return await await_if_awaitable(use(response))


def use_read_method(read: str) -> Callable[[Any], Any]:
    def use(response: Any) -> Any:
        if read == "httpx.read":
            http_response = response.http_response
            is_async = response.__class__.__name__.startswith("Async")
            return http_response.aread() if is_async else http_response.read()
        return read_all(getattr(response, read)())

    return lambda response: _await_and_read_all(use(response))


async def _await_and_read_all(value: Any) -> Any:
    return await await_if_awaitable(read_all(await await_if_awaitable(value)))


@pytest.mark.parametrize("resource", SAMPLE_NAMES)
@pytest.mark.parametrize(
    ("read", "stream"),
    [
        *((read, stream) for read in READ_METHODS for stream in (False, True)),
        ("json", False),
    ],
)
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_body_read_without_parse_gives_the_same_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    resource: str,
    stream: bool,
    read: str,
    encoding: str,
) -> None:
    name = SAMPLE_NAMES[resource][stream]
    response = sample(name)
    headers = dict(response.headers)
    body = response.body
    if encoding == "gzip":
        headers["content-encoding"] = "gzip"
        body = gzip.compress(body)
    deepseek.answer_next(RecordedResponse(200, headers, body), times=3)

    def make_call(method: str, consume: Callable[[Any], Any]) -> Any:
        return call(
            method,
            resource=resource,
            stream=stream,
            consume=consume,
            **REQUEST_ARGUMENTS[resource],
        )

    expected = make_call(
        "with_streaming_response.create",
        lambda manager: enter_and_use(manager, use_read_method(read)),
    )
    instrument("SPAN_ONLY")
    result = make_call(
        "with_streaming_response.create",
        lambda manager: enter_and_use(manager, use_read_method(read)),
    )
    make_call("create", read_all)

    assert result == expected
    unparsed, parsed = (dict(span.attributes) for span in telemetry.spans)
    unparsed.pop("deepseek.response.trace_id")
    parsed.pop("deepseek.response.trace_id", None)
    for attributes in (unparsed, parsed):
        for name in [n for n in attributes if "time_to_first" in n]:
            del attributes[name]
    assert unparsed == parsed
    assert {span.status.status_code for span in telemetry.spans} == {StatusCode.UNSET}


def test_no_byte_is_read_before_the_application_reads(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample("stream_thinking.sse", pause=0.01))

    async def read_one_line(response: Any) -> None:
        assert not response.http_response.is_stream_consumed
        lines = response.iter_lines()
        if hasattr(lines, "__next__"):
            next(lines)
        else:
            await anext(lines)
        assert telemetry.spans == []

    call(
        "with_streaming_response.create",
        stream=True,
        consume=lambda manager: enter_and_use(manager, read_one_line),
    )

    # The stream was left early, so there is no finish reason.
    attributes = telemetry.span.attributes
    assert telemetry.span.status.status_code is StatusCode.UNSET
    assert attributes["gen_ai.response.finish_reasons"] == ("error",)
    assert "gen_ai.usage.input_tokens" not in attributes


def test_unparsed_stream_cut_by_the_server_is_an_error(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_truncated.sse"))

    call(
        "with_streaming_response.create",
        stream=True,
        consume=lambda manager: enter_and_use(manager, use_read_method("iter_lines")),
    )

    assert telemetry.span.status.status_code is StatusCode.ERROR
    assert telemetry.span.attributes["error.type"] == "stream_cut"


@pytest.mark.parametrize("body", [b"", b"<p>", b"[]", b'{"choices"', b"\xff" * 99])
def test_invalid_body_is_returned_unchanged(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    body: bytes,
) -> None:
    instrument()
    deepseek.answer_next(RecordedResponse(body=body))

    read_body = call(
        "with_streaming_response.create",
        consume=lambda manager: enter_and_use(manager, use_read_method("read")),
    )

    assert read_body == body
    assert telemetry.span.attributes["gen_ai.response.finish_reasons"] == ("error",)


def test_invalid_chunk_does_not_lose_other_chunks(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    first, *rest = sample("stream_plain.sse").parts
    body = b"".join([first, b": keep-alive\r\n\r\n", b"data: {broken\n\n", *rest])
    deepseek.answer_next(
        RecordedResponse(headers={"content-type": "text/event-stream"}, body=body)
    )

    call(
        "with_streaming_response.create",
        stream=True,
        consume=lambda manager: enter_and_use(manager, use_read_method("iter_bytes")),
    )

    assert telemetry.span.attributes["gen_ai.response.finish_reasons"] == ("stop",)
    completion = json.loads((SAMPLES / "chat_plain.json").read_bytes())
    (message,) = json.loads(telemetry.span.attributes["gen_ai.output.messages"])
    assert (
        message["parts"][0]["content"] == completion["choices"][0]["message"]["content"]
    )


def test_connection_lost_while_reading_raises_the_same_error(
    instrument: Callable[..., None], call: Callable[..., Any], telemetry: Telemetry
) -> None:
    def call_until_error() -> pytest.ExceptionInfo[Exception]:
        with pytest.raises(Exception, match=r"peer closed|incomplete") as raised:
            call(
                "with_streaming_response.create",
                stream=True,
                extra_headers={"x-simulator-fault": "drop after=3"},
                consume=lambda manager: enter_and_use(
                    manager, use_read_method("iter_bytes")
                ),
            )
        return raised

    expected = call_until_error()
    instrument()
    assert type(call_until_error().value) is type(expected.value)

    assert telemetry.span.status.status_code is StatusCode.ERROR
    error_type = telemetry.span.attributes["error.type"]
    assert error_type.endswith(expected.type.__qualname__)
