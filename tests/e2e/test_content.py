"""Content off, the default: what was said is nowhere; what it took is still there."""

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

# Said too, but parts of names or descriptions: of spans, attributes and metrics.
NAMES = {"answer", "call", "from", "tokens", "trace", "weather"}


def said(exchanges: list[Exchange]) -> set[str]:
    """The words, of four letters or more, in all that went to and fro."""
    texts = " ".join(text for exchange in exchanges for text in _texts(exchange))
    return set(re.findall(r"[a-z]{4,}", texts.lower()))


def _texts(exchange: Exchange) -> Iterator[str]:
    request = exchange.request_json
    messages: list[Any] = [*request["messages"]]
    if not request.get("stream"):  # else it is in the next request
        messages.append(json.loads(exchange.response_body)["choices"][0]["message"])
    for message in messages:
        yield message.get("content") or ""
        yield message.get("reasoning_content") or ""
        for call in message.get("tool_calls") or []:
            yield call["function"]["arguments"]
    for tool in request["tools"]:
        yield tool["function"]["description"]
        yield from tool["function"]["parameters"]["properties"]


@pytest.fixture
def signals(agent, receiver, mlflow_uri, traces):
    """Runs the agent in a capture mode; what came out of it, as text."""

    def of(mode: str) -> str:
        experiment = f"content {mode or 'off'}"
        done = agent(
            MLFLOW_EXPERIMENT_NAME=experiment,
            MLFLOW_TRACKING_URI=mlflow_uri,
            OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=mode,
        )
        assert (done.returncode, done.stderr) == (0, "")
        (trace,) = traces(experiment)
        assert {r.path for r in receiver.requests} >= {"/v1/traces", "/v1/metrics"}
        bodies = [
            request.body.decode("utf-8", "replace") for request in receiver.requests
        ]
        return "\n".join([trace.to_json(), *bodies]).lower()

    return of


def test_not_one_word_is_in_any_signal(signals, simulator):
    everything = signals("")
    words = said(simulator.exchanges) - NAMES
    assert words > {"paris", "haiku", "dawn", "syllables", "temperature", "city"}
    assert {word for word in words if word in everything} == set()


def test_switched_on_every_word_is_there(signals, simulator):
    """So the words that the test above looks for would be found."""
    everything = signals("SPAN_ONLY")
    words = said(simulator.exchanges)
    assert {word for word in words if word not in everything} == set()


def test_with_the_hook_every_word_is_in_mlflow_and_none_elsewhere(
    agent, receiver, simulator, mlflow_uri, traces
):
    done = agent(
        MLFLOW_EXPERIMENT_NAME="content for MLflow alone",
        MLFLOW_TRACKING_URI=mlflow_uri,
        OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK="mlflow",
    )
    assert (done.returncode, done.stderr) == (0, "")
    (trace,) = traces("content for MLflow alone")
    words = said(simulator.exchanges)
    assert words - set(re.findall(r"[a-z]{4,}", trace.to_json().lower())) == set()
    assert len(receiver.spans) == len(trace.data.spans)
    sent = b"".join(request.body for request in receiver.requests).lower()
    assert {word for word in words - NAMES if word.encode() in sent} == set()


def test_tokens_and_timings_are_there_without_content(
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
    assert [value["count"] for _, value in duration.points] == [3]
