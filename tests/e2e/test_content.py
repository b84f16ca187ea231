"""Tests that content is recorded only if its capture is enabled."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from dirty_equals import IsPartialDict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from examples.simulator import Exchange

pytestmark = pytest.mark.e2e

# Words of the content that are also part of names and descriptions of telemetry.
NON_CONTENT_WORDS = {
    "answer",
    "call",
    "from",
    "time",
    "tokens",
    "trace",
    "user",
    "weather",
}


def content_words(exchanges: list[Exchange]) -> set[str]:
    """Returns the words of four or more letters in all requests and responses."""
    texts = " ".join(text for exchange in exchanges for text in _texts(exchange))
    return set(re.findall(r"[a-z]{4,}", texts.lower()))


def _texts(exchange: Exchange) -> Iterator[str]:
    request = exchange.request_json
    messages: list[Any] = [*request["messages"]]
    if request.get("stream"):
        messages.append(_streamed_message(exchange.response_body))
    else:
        messages.append(json.loads(exchange.response_body)["choices"][0]["message"])
    for message in messages:
        yield message.get("content") or ""
        yield message.get("reasoning_content") or ""
        for call in message.get("tool_calls") or []:
            yield call["function"]["arguments"]
    for tool in request["tools"]:
        yield tool["function"]["description"]
        yield from tool["function"]["parameters"]["properties"]


def _streamed_message(body: bytes) -> dict[str, str]:
    """Returns the message whose parts are in the chunks of the stream."""
    lines = re.findall(rb"^data: (\{.*)$", body, re.MULTILINE)
    chunks = [json.loads(line) for line in lines]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    return {
        name: "".join(delta.get(name) or "" for delta in deltas)
        for name in ("content", "reasoning_content")
    }


@pytest.fixture
def signals(agent, receiver, mlflow_uri, traces):
    """A function that runs the agent and returns all its telemetry, as text."""

    def run(mode: str) -> str:
        experiment = f"content {mode or 'off'}"
        process = agent(
            MLFLOW_EXPERIMENT_NAME=experiment,
            MLFLOW_TRACKING_URI=mlflow_uri,
            OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=mode,
        )
        assert process.returncode == 0
        # Nobody has decided that there is no content.
        lines = process.stderr.splitlines()
        assert [line[:35] for line in lines] == (
            [] if mode else ["A model call has no message content"]
        )
        (trace,) = traces(experiment)
        assert {r.path for r in receiver.requests} >= {"/v1/traces", "/v1/metrics"}
        bodies = [
            request.body.decode("utf-8", "replace") for request in receiver.requests
        ]
        return "\n".join([trace.to_json(), *bodies]).lower()

    return run


def test_no_word_of_the_content_is_in_any_signal(signals, simulator):
    telemetry = signals("")
    words = content_words(simulator.exchanges) - NON_CONTENT_WORDS
    assert words > {"paris", "results", "sunshine", "temperature", "warmer", "city"}
    assert {word for word in words if word in telemetry} == set()


def test_every_word_is_recorded_with_content(signals, simulator):
    """Shows that the previous test would find recorded content."""
    telemetry = signals("SPAN_ONLY")
    words = content_words(simulator.exchanges)
    assert {word for word in words if word not in telemetry} == set()


def test_completion_hook_sends_content_to_mlflow_only(
    agent, receiver, simulator, mlflow_uri, traces
):
    process = agent(
        MLFLOW_EXPERIMENT_NAME="content for MLflow only",
        MLFLOW_TRACKING_URI=mlflow_uri,
        OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK="mlflow",
    )
    assert (process.returncode, process.stderr) == (0, "")
    (trace,) = traces("content for MLflow only")
    words = content_words(simulator.exchanges)
    assert words - set(re.findall(r"[a-z]{4,}", trace.to_json().lower())) == set()
    assert len(receiver.spans) == len(trace.data.spans)
    otlp_bodies = b"".join(request.body for request in receiver.requests).lower()
    assert {
        word for word in words - NON_CONTENT_WORDS if word.encode() in otlp_bodies
    } == set()


def test_tokens_and_durations_are_recorded_without_content(
    signals, simulator, receiver, traces
):
    signals("NO_CONTENT")
    (trace,) = traces("content NO_CONTENT")
    usages = [exchange.usage for exchange in simulator.exchanges]
    assert trace.info.token_usage == IsPartialDict(
        total_tokens=sum(usage["total_tokens"] for usage in usages)
    )
    assert (trace.info.request_preview, trace.info.response_preview) == (None, None)
    chats = [s for s in receiver.spans if s.name.startswith("chat ")]
    assert [s.attributes["gen_ai.usage.output_tokens"] for s in chats] == [
        usage["completion_tokens"] for usage in usages
    ]
    assert all(span.seconds > 0 for span in chats)
    (duration,) = [
        m for m in receiver.metrics if m.name == "gen_ai.client.operation.duration"
    ]
    assert [value["count"] for _, value in duration.points] == [2]
