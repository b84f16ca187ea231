"""Whatever JSON stands where something else should: the caller gets what the SDK makes
of it, and one span ends that OTLP can carry."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from examples.simulator import Recorded

from .comparing import assert_only_parts_are_lost
from .conftest import sample
from .test_odd_values import REQUEST, STREAMED, WHOLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry

# Parts that cannot be read are told.
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


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(value, dict | list):
        for key, inner in (
            value.items() if isinstance(value, dict) else enumerate(value)
        ):
            found += places(inner, (*path, key))
    return found


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    changed = value.copy()
    changed[path[0]] = put(value[path[0]], path[1:], new)
    return changed


@st.composite
def changed(draw: st.DrawFn, body: bytes) -> bytes:
    value = json.loads(body)
    path = draw(st.sampled_from(places(value)))
    return json.dumps(put(value, path, draw(json_values))).encode()


@st.composite
def changed_stream(draw: st.DrawFn, events: list[bytes]) -> bytes:
    at = draw(st.integers(0, len(events) - 2))
    head, _, data = events[at].rpartition(b"data: ")
    event = head + b"data: " + draw(changed(data)) + b"\n\n"
    return b"".join([*events[:at], event, *events[at + 1 :]])


@pytest.mark.parametrize("of", WHOLE)
@pytest.mark.parametrize("stream", [False, True])
def test_any_answer_is_the_callers(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    caplog: pytest.LogCaptureFixture,
    of: str,
    stream: bool,
) -> None:
    answers = (
        changed_stream([e for e in sample(STREAMED[of]).parts if b"data: " in e])
        if stream
        else changed(sample(WHOLE[of]).body)
    )
    kind = "text/event-stream" if stream else "application/json"
    arguments = {"model": "deepseek-flash", "messages": [], "stream": stream}
    arguments = REQUEST[of] | {"stream": stream} if REQUEST[of] else arguments

    def outcome(base_url: str, answer: Recorded) -> str:
        deepseek.answer_next(answer)
        target: Any = clients[base_url]
        for name in of.split("."):
            target = getattr(target, name)
        try:
            answered = target.create(**arguments)
            return repr(list(answered) if stream else answered)
        except Exception as error:  # noqa: BLE001  # of whatever kind, it is compared
            return repr(error)

    with (
        openai.OpenAI(base_url=deepseek.base_url, api_key="none") as ours,
        openai.OpenAI(
            base_url=deepseek.base_url.replace("127.0.0.1", "localhost"), api_key="none"
        ) as theirs,
    ):
        clients = {"ours": ours, "theirs": theirs}
        instrument("SPAN_ONLY")

        @settings(
            max_examples=40,
            deadline=None,
            suppress_health_check=[HealthCheck.function_scoped_fixture],
        )
        @given(answers)
        def agree(body: bytes) -> None:
            answer = Recorded(headers={"content-type": kind}, body=body)
            before = len(telemetry.spans)
            bare = outcome("theirs", answer)
            assert len(telemetry.spans) == before
            assert outcome("ours", answer) == bare
            (span,) = telemetry.spans[before:]
            assert encode_spans([span]).SerializeToString()
            assert_only_parts_are_lost(caplog)

        agree()
