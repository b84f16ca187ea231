"""Property test: any JSON value at any place of a response.

The application gets what the SDK makes of it, and one span ends that OTLP can encode.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from examples.simulator import RecordedResponse

from .comparison import assert_only_parts_are_lost
from .conftest import sample
from .test_odd_values import REQUEST_ARGUMENTS, STREAMED_RESPONSES, WHOLE_RESPONSES

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry

# Parts that cannot be read are logged.
pytestmark = pytest.mark.internal_error

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats()
    | st.text(st.characters(), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["content", "text", "index", "function", "type", "id", "item", "delta"]
            )
            | st.text(max_size=3),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    result = [path]
    if isinstance(value, dict | list):
        for key, inner in (
            value.items() if isinstance(value, dict) else enumerate(value)
        ):
            result += paths(inner, (*path, key))
    return result


def replace(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replace(value[path[0]], path[1:], new)
    return copy


@st.composite
def changed_body(draw: st.DrawFn, body: bytes) -> bytes:
    value = json.loads(body)
    path = draw(st.sampled_from(paths(value)))
    return json.dumps(replace(value, path, draw(json_values))).encode()


@st.composite
def changed_stream(draw: st.DrawFn, events: list[bytes]) -> bytes:
    index = draw(st.integers(0, len(events) - 2))
    head, _, data = events[index].rpartition(b"data: ")
    event = head + b"data: " + draw(changed_body(data)) + b"\n\n"
    return b"".join([*events[:index], event, *events[index + 1 :]])


@pytest.mark.parametrize("resource", WHOLE_RESPONSES)
@pytest.mark.parametrize("stream", [False, True])
def test_any_response_gives_same_result_and_one_encodable_span(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    caplog: pytest.LogCaptureFixture,
    resource: str,
    stream: bool,
) -> None:
    bodies = (
        changed_stream(
            [e for e in sample(STREAMED_RESPONSES[resource]).parts if b"data: " in e]
        )
        if stream
        else changed_body(sample(WHOLE_RESPONSES[resource]).body)
    )
    content_type = "text/event-stream" if stream else "application/json"
    arguments = {"model": "deepseek-flash", "messages": [], "stream": stream}
    arguments = (
        REQUEST_ARGUMENTS[resource] | {"stream": stream}
        if REQUEST_ARGUMENTS[resource]
        else arguments
    )

    def outcome(client: openai.OpenAI, response: RecordedResponse) -> str:
        deepseek.answer_next(response)
        target: Any = client
        for name in resource.split("."):
            target = getattr(target, name)
        try:
            result = target.create(**arguments)
            return repr(list(result) if stream else result)
        except Exception as error:  # noqa: BLE001  # every type is compared
            return repr(error)

    with (
        openai.OpenAI(
            base_url=deepseek.base_url, api_key="none"
        ) as instrumented_client,
        openai.OpenAI(
            base_url=deepseek.base_url.replace("127.0.0.1", "localhost"), api_key="none"
        ) as other_client,
    ):
        instrument("SPAN_ONLY")

        @settings(
            max_examples=40,
            deadline=None,
            suppress_health_check=[HealthCheck.function_scoped_fixture],
        )
        @given(bodies)
        def check(body: bytes) -> None:
            response = RecordedResponse(
                headers={"content-type": content_type}, body=body
            )
            span_count = len(telemetry.spans)
            expected = outcome(other_client, response)
            assert len(telemetry.spans) == span_count
            assert outcome(instrumented_client, response) == expected
            (span,) = telemetry.spans[span_count:]
            assert encode_spans([span]).SerializeToString()
            assert_only_parts_are_lost(caplog)

        check()
