"""An answer that the caller reads from the wire, unparsed: nothing is read before them,
and what they have read is on the span."""

from __future__ import annotations

import gzip
import inspect
import json
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import StatusCode

from examples.simulator import Recorded

from .conftest import SAMPLES, read_out, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry

# `httpx.read`: not by the SDK's response, but by the one below it.
READS = ["read", "text", "iter_bytes", "iter_text", "iter_lines", "httpx.read"]
WHOLE = {
    "chat.completions": ("chat_thinking.json", "stream_thinking.sse"),
    "completions": ("fim.json", "fim.sse"),
    "responses": ("responses.json", "responses_stream.sse"),
}
ASKED = {
    "chat.completions": {},
    "completions": {"model": "deepseek-v4-pro", "prompt": "def f("},
    "responses": {"model": "deepseek-flash", "input": "Hi"},
}


async def settled(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


async def entered(manager: Any, use: Callable[[Any], Any]) -> Any:
    if hasattr(manager, "__enter__"):
        with manager as response:
            return await settled(use(response))
    async with manager as response:
        return await settled(use(response))


def read_by(read: str) -> Callable[[Any], Any]:
    def used(response: Any) -> Any:
        if read == "httpx.read":
            below = response.http_response
            by_async = response.__class__.__name__.startswith("Async")
            return below.aread() if by_async else below.read()
        return read_out(getattr(response, read)())

    return lambda response: _settle_and_read(used(response))


async def _settle_and_read(value: Any) -> Any:
    return await settled(read_out(await settled(value)))


@pytest.mark.parametrize("of", WHOLE)
@pytest.mark.parametrize(
    ("read", "stream"),
    [*((read, stream) for read in READS for stream in (False, True)), ("json", False)],
)
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_what_the_caller_reads_is_on_the_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    of: str,
    stream: bool,
    read: str,
    encoding: str,
) -> None:
    name = WHOLE[of][stream]
    answer = sample(name)
    headers = dict(answer.headers)
    body = answer.body
    if encoding == "gzip":
        headers["content-encoding"] = "gzip"
        body = gzip.compress(body)
    deepseek.answer_next(Recorded(200, headers, body), times=3)

    def ask(method: str, using: Callable[[Any], Any]) -> Any:
        return call(method, of=of, stream=stream, using=using, **ASKED[of])

    bare = ask(
        "with_streaming_response.create", lambda made: entered(made, read_by(read))
    )
    instrument("SPAN_ONLY")
    ours = ask(
        "with_streaming_response.create", lambda made: entered(made, read_by(read))
    )
    ask("create", read_out)

    assert ours == bare
    by_hand, parsed = (dict(span.attributes) for span in telemetry.spans)
    by_hand.pop("deepseek.response.trace_id")
    parsed.pop("deepseek.response.trace_id", None)
    for attributes in (by_hand, parsed):
        for timed in [n for n in attributes if "time_to_first" in n]:
            del attributes[timed]
    assert by_hand == parsed
    assert {span.status.status_code for span in telemetry.spans} == {StatusCode.UNSET}


def test_nothing_is_read_before_the_caller_reads(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(sample("stream_thinking.sse", pause=0.01))

    async def used(response: Any) -> None:
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
        using=lambda made: entered(made, used),
    )

    # Left early: what had arrived is there, and no finish.
    attributes = telemetry.span.attributes
    assert telemetry.span.status.status_code is StatusCode.UNSET
    assert attributes["gen_ai.response.finish_reasons"] == ("error",)
    assert "gen_ai.usage.input_tokens" not in attributes


def test_a_stream_read_by_hand_that_the_server_cuts_is_an_error(
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
        using=lambda made: entered(made, read_by("iter_lines")),
    )

    assert telemetry.span.status.status_code is StatusCode.ERROR
    assert telemetry.span.attributes["error.type"] == "stream_cut"


@pytest.mark.parametrize("body", [b"", b"<p>", b"[]", b'{"choices"', b"\xff" * 99])
def test_what_is_no_answer_is_the_callers(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    body: bytes,
) -> None:
    instrument()
    deepseek.answer_next(Recorded(body=body))

    read = call(
        "with_streaming_response.create",
        using=lambda made: entered(made, read_by("read")),
    )

    assert read == body
    assert telemetry.span.attributes["gen_ai.response.finish_reasons"] == ("error",)


def test_a_chunk_that_is_no_json_costs_no_other(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument("SPAN_ONLY")
    first, *rest = sample("stream_plain.sse").parts
    body = b"".join([first, b": keep-alive\r\n\r\n", b"data: {broken\n\n", *rest])
    deepseek.answer_next(
        Recorded(headers={"content-type": "text/event-stream"}, body=body)
    )

    call(
        "with_streaming_response.create",
        stream=True,
        using=lambda made: entered(made, read_by("iter_bytes")),
    )

    assert telemetry.span.attributes["gen_ai.response.finish_reasons"] == ("stop",)
    whole = json.loads((SAMPLES / "chat_plain.json").read_bytes())
    (said,) = json.loads(telemetry.span.attributes["gen_ai.output.messages"])
    assert said["parts"][0]["content"] == whole["choices"][0]["message"]["content"]


def test_a_connection_that_breaks_while_it_is_read_is_the_callers_error(
    instrument: Callable[..., None], call: Callable[..., Any], telemetry: Telemetry
) -> None:
    def broken() -> pytest.ExceptionInfo[Exception]:
        with pytest.raises(Exception, match=r"peer closed|incomplete") as raised:
            call(
                "with_streaming_response.create",
                stream=True,
                extra_headers={"x-simulator-fault": "drop after=3"},
                using=lambda made: entered(made, read_by("iter_bytes")),
            )
        return raised

    bare = broken()
    instrument()
    assert type(broken().value) is type(bare.value)

    assert telemetry.span.status.status_code is StatusCode.ERROR
    error_type = telemetry.span.attributes["error.type"]
    assert error_type.endswith(bare.type.__qualname__)
