"""One span for a request of an HTTP client, as for a call of the openai SDK."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING, Any

import openai
import pytest
from opentelemetry.trace import SpanKind, StatusCode

from examples.simulator import RecordedResponse
from tests.instrumentation.attributes import (
    THINKING,
    THINKING_STREAM,
    TRACE_ID,
)
from tests.instrumentation.conftest import CHAT, sample

from .clients import READS
from .conftest import PATHS

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator
    from tests.instrumentation.conftest import Telemetry

STREAM = {**CHAT, "stream": True}
CONTENT = ("gen_ai.input.messages", "gen_ai.output.messages")
EACH_READ = pytest.mark.parametrize(("client", "read"), READS, indirect=["client"])


def encoded(response: RecordedResponse, encoding: str) -> RecordedResponse:
    encode = {"gzip": gzip.compress, "deflate": zlib.compress, "identity": bytes}
    headers = {**response.headers, "content-encoding": encoding}
    return RecordedResponse(200, headers, encode[encoding](response.body))


def joined(result: tuple[int, Any]) -> tuple[int, Any]:
    """Joins pieces, whose sizes depend on time."""
    status, body = result
    if isinstance(body, list) and body and isinstance(body[0], bytes):
        body = b"".join(body)
    return status, body


def test_request_has_one_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("chat_thinking.json"))

    call({**CHAT, "max_tokens": 500})

    span = telemetry.span
    assert (span.name, span.kind) == ("chat deepseek-flash", SpanKind.CLIENT)
    assert span.status.status_code is StatusCode.UNSET
    assert span.attributes == THINKING | TRACE_ID | {"gen_ai.request.max_tokens": 500}


@EACH_READ
@pytest.mark.parametrize("encoding", ["identity", "gzip", "deflate"])
@pytest.mark.parametrize("stream", [False, True])
def test_each_way_to_read_gives_the_span_of_the_sdk(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    read: str,
    encoding: str,
    stream: bool,
) -> None:
    response = sample("stream_thinking.sse" if stream else "chat_thinking.json")
    deepseek.answer_next(encoded(response, encoding), times=3)
    body = STREAM if stream else CHAT

    expected = call(body, read)
    instrument("SPAN_ONLY")
    assert joined(call(body, read)) == joined(expected)

    with openai.OpenAI(base_url=deepseek.base_url, api_key="none") as client:
        result = client.chat.completions.create(**body)
        if stream:
            list(result)
    ours, sdk = (
        {k: v for k, v in span.attributes.items() if "time_to_first" not in k}
        for span in telemetry.spans
    )
    sdk.setdefault("deepseek.response.trace_id", ours["deepseek.response.trace_id"])
    ours.pop("deepseek.response.trace_id")
    sdk.pop("deepseek.response.trace_id")
    assert ours == sdk
    assert {span.status.status_code for span in telemetry.spans} == {StatusCode.UNSET}


def test_stream_has_times_of_its_chunks(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse", pause=0.001))

    call(STREAM, "lines")

    assert telemetry.span.attributes == THINKING_STREAM
    assert telemetry.metrics["gen_ai.client.operation.time_per_output_chunk"]
    assert telemetry.metrics["gen_ai.client.token.usage"]


@pytest.mark.parametrize(
    ("operation", "name", "body"),
    [
        ("text_completion", "fim.json", {"prompt": "def f("}),
        ("text_completion", "fim.sse", {"prompt": "def f(", "stream": True}),
        ("responses", "responses.json", {"input": "Hi"}),
        ("responses", "responses_stream.sse", {"input": "Hi", "stream": True}),
    ],
)
def test_other_apis_are_recorded(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    operation: str,
    name: str,
    body: dict[str, Any],
) -> None:
    instrument()
    deepseek.answer_next(sample(name))

    call({"model": "deepseek-flash", **body}, "lines", path=PATHS[operation])

    span = telemetry.span
    assert span.status.status_code is StatusCode.UNSET
    assert span.name.split() == [
        operation if operation == "text_completion" else "chat",
        "deepseek-flash",
    ]
    assert span.attributes["gen_ai.usage.input_tokens"] > 0
    assert span.attributes["gen_ai.usage.output_tokens"] > 0
    assert span.attributes["gen_ai.response.finish_reasons"]


@pytest.mark.parametrize("stream", [False, True])
def test_messages_of_the_anthropic_format_are_recorded(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    telemetry: Telemetry,
    stream: bool,
) -> None:
    instrument("SPAN_ONLY")

    # The simulator itself answers.
    call(
        {**CHAT, "max_tokens": 1000, "stream": stream},
        "lines" if stream else None,
        path=PATHS["messages"],
    )

    attributes = telemetry.span.attributes
    assert telemetry.span.status.status_code is StatusCode.UNSET
    assert attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert attributes["gen_ai.usage.output_tokens"] > 0
    assert '"reasoning"' in attributes["gen_ai.output.messages"]


@pytest.mark.parametrize(
    "path", ["/embeddings", "/chat/completions/1", "/v1/messages/1"]
)
def test_request_of_another_api_has_no_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    telemetry: Telemetry,
    path: str,
) -> None:
    instrument()

    call(path=path, read="read")

    assert telemetry.spans == []


def test_unconfigured_host_has_no_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    telemetry: Telemetry,
) -> None:
    instrument(hosts=["gateway.example.com"])

    call()

    assert telemetry.spans == []


def test_every_host_is_recorded_for_the_models_of_deepseek(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument(hosts=["*"])
    deepseek.answer_next(sample("chat_thinking.json"), times=2)

    call({**CHAT, "model": "gpt-5"})
    call()

    assert telemetry.span.name == "chat deepseek-flash"
    assert telemetry.span.attributes["deepseek.server.type"] == "unknown"


def test_other_provider_has_its_name(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument(hosts=["127.0.0.1=openrouter"])
    deepseek.answer_next(sample("chat_thinking.json"))

    call()

    expected = THINKING | TRACE_ID | {"gen_ai.provider.name": "openrouter"}
    del expected["deepseek.server.type"]
    assert telemetry.span.attributes == expected


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'"text"'])
def test_body_that_is_no_object_is_survived(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    client: str,
    telemetry: Telemetry,
    body: bytes,
) -> None:
    instrument("SPAN_ONLY")
    name = "content" if client.startswith("httpx") else "data"

    status, _ = call(None, "read", **{"json": None, name: body})

    assert status >= 400
    assert telemetry.span.name == "chat"
    assert telemetry.span.attributes["error.type"] == str(status)


@pytest.mark.parametrize("stream", [False, True])
def test_span_of_a_client_library_gets_what_it_lacks(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    stream: bool,
) -> None:
    instrument("SPAN_ONLY")
    deepseek.answer_next(
        sample("stream_thinking.sse" if stream else "chat_thinking.json")
    )
    own = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.response.id": "its own",
    }

    tracer = telemetry.tracer_provider.get_tracer("client")
    with tracer.start_as_current_span("call", kind=SpanKind.CLIENT, attributes=own):
        call(STREAM if stream else CHAT, "lines" if stream else None)

    span = telemetry.span
    expected = THINKING_STREAM if stream else THINKING | TRACE_ID
    assert span.name == "call"
    content = {name: span.attributes[name] for name in CONTENT}
    assert span.attributes == expected | content | {"gen_ai.response.id": "its own"}
    assert telemetry.metrics == {}
