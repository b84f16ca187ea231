"""An application and a server see the same with and without instrumentation."""

from __future__ import annotations

import inspect
import warnings
from typing import TYPE_CHECKING, Any

import anthropic
import pytest

from tests.instrumentation.comparison import Comparison

from .bodies import EVENTS, encoded
from .conftest import IS_TRACED_BY_SDK, make_client, recorded, recorded_events

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator
    from tests.instrumentation.conftest import Telemetry


@pytest.fixture
def comparison(
    call: Callable[..., Any],
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    caplog: pytest.LogCaptureFixture,
) -> Comparison:
    # Without the SDK's spans, whose context the requests carry.
    def call_untraced(**arguments: Any) -> Any:
        return call(client_options=UNTRACED, **arguments)

    return Comparison(call_untraced, instrument, deepseek, telemetry, caplog)


UNTRACED: dict[str, Any] = {"open_telemetry": False} if IS_TRACED_BY_SDK else {}
ODD_BODIES = {
    "empty object": b"{}",
    "null content": encoded(content=None),
    "no usage": encoded(usage=None),
    "wrong types": encoded(
        {"type": "text", "text": 3},
        {"type": "thinking"},
        {"type": "unknown", "x": [1]},
        "text",
        None,
        {"type": "tool_use", "input": "no object"},
        usage={"input_tokens": "many", "output_tokens": -1, "server_tool_use": 3},
        stop_reason=7,
        model=None,
        id=3,
    ),
    "lone surrogate": encoded({"type": "text", "text": "\\ud83d"}),
    "list": b"[]",
    "error": b'{"type":"error","error":"text"}',
}
ODD_EVENTS: dict[str, list[Any]] = {
    "no start": list(EVENTS[1:]),
    "unknown": [{"type": "unknown"}, *EVENTS],
    "no index": [
        {
            "type": "content_block_delta",
            "delta": {"type": "text_delta", "text": "x"},
        },
        {"type": "content_block_delta", "index": 4, "delta": None},
        {"type": "content_block_start", "index": "a", "content_block": None},
        {"type": "message_start", "message": None},
        {"type": "message_delta"},
    ],
}


@pytest.mark.parametrize("body", ODD_BODIES.values(), ids=ODD_BODIES)
def test_odd_body_is_returned_unchanged(
    comparison: Comparison, deepseek: Simulator, body: bytes
) -> None:
    deepseek.answer_next(recorded(body), times=2)

    assert comparison(dict).requests


@pytest.mark.parametrize("events", ODD_EVENTS.values(), ids=ODD_EVENTS)
def test_odd_stream_is_returned_unchanged(
    comparison: Comparison, deepseek: Simulator, events: list[Any]
) -> None:
    deepseek.answer_next(recorded_events(events), times=2)

    assert comparison(lambda: {"stream": True}).requests


@pytest.mark.parametrize(
    "arguments",
    [
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]},
        {"messages": [{"role": "user"}]},
        {"messages": 3},
        {"messages": None},
        {"system": 3},
        {"tools": [{"name": None}], "thinking": "yes"},
        {"model": None},
        {"extra_body": {"temperature": float("nan")}},
        {"stop_sequences": [1, None]},
        {"extra_body": {"messages": [None, 3, {"role": 3, "content": [3]}]}},
    ],
    ids=repr,
)
def test_odd_arguments_are_sent_unchanged(
    comparison: Comparison, deepseek: Simulator, arguments: dict[str, Any]
) -> None:
    deepseek.answer_next(recorded(encoded()), times=2)

    comparison(lambda: arguments)


def test_iterators_are_sent_unchanged(
    comparison: Comparison, deepseek: Simulator
) -> None:
    deepseek.answer_next(recorded(encoded()), times=2)

    outcome = comparison(
        lambda: {
            "messages": iter([{"role": "user", "content": "Hello"}]),
            "system": iter([{"type": "text", "text": "Be brief."}]),
        }
    )
    assert b"Be brief." in outcome.requests[0][0]


# Before version 1, its metaclass says that only the very class is a `Stream`.
HAS_STREAM_SUBCLASSES = type(anthropic.Stream) is type


def test_objects_have_the_types_of_the_sdk(
    instrument: Callable[..., None], deepseek: Simulator, telemetry: Telemetry
) -> None:
    instrument()
    with make_client("Anthropic", deepseek.base_url, telemetry) as client:
        assert inspect.signature(client.request) == inspect.signature(
            anthropic.Anthropic(api_key="x").request
        )
        arguments: dict[str, Any] = {
            "model": "deepseek-flash",
            "max_tokens": 10,
            "messages": [{"role": "user", "content": "?"}],
        }
        assert type(client.messages.create(**arguments)) is anthropic.types.Message
        stream = client.messages.create(**arguments, stream=True)
        assert stream.__class__ is anthropic.Stream
        assert isinstance(stream, anthropic.Stream) is HAS_STREAM_SUBCLASSES
        stream.close()
        with client.messages.stream(**arguments) as message_stream:
            assert type(message_stream) is anthropic.MessageStream


@pytest.mark.skipif(
    not hasattr(anthropic.resources.messages, "messages"),
    reason="this version of the SDK has the table elsewhere",
)
def test_warnings_name_the_line_of_the_application(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The SDK counts frames to the application; a wrapper of `create` would be one."""
    models = anthropic.resources.messages.messages.DEPRECATED_MODELS
    monkeypatch.setitem(models, "deepseek-flash", "today")
    instrument()
    with (
        make_client("Anthropic", deepseek.base_url, telemetry) as client,
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        client.messages.create(
            model="deepseek-flash",
            max_tokens=10,
            messages=[{"role": "user", "content": "?"}],
        )

    (warning,) = [w for w in caught if w.category is DeprecationWarning]
    assert warning.filename == __file__
