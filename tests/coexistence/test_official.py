"""Beside OpenTelemetry's own instrumentation of the `openai` SDK.

DeepSeek's calls are ours, everybody else's are theirs, whichever was switched on first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import openai
import pytest
from openai.resources.chat.completions import AsyncCompletions, Completions
from openai.resources.completions import Completions as TextCompletions
from openai.resources.responses import AsyncResponses, Responses
from opentelemetry.instrumentation.utils import suppress_instrumentation

from examples.simulator import Recorded
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

from .official import (
    CALLS,
    CHAT,
    ORDERS,
    OURS,
    SAMPLES,
    THEIRS,
    call,
    instrumentor,
    part_types,
    theirs,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry

METHODS: Final = [
    *((o, m) for o in (Completions, AsyncCompletions) for m in ("create", "parse")),
    *(
        (o, m)
        for o in (Responses, AsyncResponses)
        for m in ("create", "parse", "stream", "retrieve")
    ),
    (TextCompletions, "create"),
]


def on_the_classes() -> list[Any]:
    return [vars(owner)[method] for owner, method in METHODS]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", ["OpenAI", "AsyncOpenAI"])
@pytest.mark.parametrize("name", CALLS)
def test_a_deepseek_call_is_one_span_of_ours_with_its_reasoning(
    switch_on: Callable[[str], None],
    deepseek: Simulator,
    telemetry: Telemetry,
    name: str,
    kind: str,
    order: str,
) -> None:
    switch_on(order)
    call(deepseek, name, kind)
    (span,) = telemetry.spans
    assert part_types(span.attributes) == ["reasoning", "text"]
    assert telemetry.summary == [(OURS, "deepseek")]


@pytest.mark.parametrize("order", ["theirs", *ORDERS])
@pytest.mark.parametrize("kind", ["OpenAI", "AsyncOpenAI"])
@pytest.mark.parametrize("name", CALLS)
def test_an_openai_call_stays_theirs(
    switch_on: Callable[[str], None],
    deepseek: Simulator,
    telemetry: Telemetry,
    name: str,
    kind: str,
    order: str,
) -> None:
    switch_on(order)
    call(deepseek, name, kind, host="localhost")
    assert telemetry.summary == [(THEIRS, "openai")]


@pytest.mark.parametrize("off", ORDERS)
@pytest.mark.parametrize("on", ORDERS)
def test_who_stays_on_goes_on_alone_and_at_last_the_sdk_has_its_own_methods(
    switch_on: Callable[[str], None],
    deepseek: Simulator,
    telemetry: Telemetry,
    on: str,
    off: str,
) -> None:
    before = on_the_classes()
    for _ in range(2):
        switch_on(on)
        first, last = off.split(", ")
        instrumentor(first).uninstrument()
        for name in ("chat.completions.create", "responses.stream"):
            call(deepseek, name)
            call(deepseek, name, host="localhost")
        alone = {
            "ours": [(OURS, "deepseek")] * 2,
            "theirs": [(THEIRS, "openai")] * 4,
        }
        assert telemetry.summary == alone[last]
        instrumentor(last).uninstrument()
        assert all(a is b for a, b in zip(on_the_classes(), before, strict=True))


def test_their_instrumentor_is_given_back_too(
    switch_on: Callable[[str], None],
) -> None:
    owner = theirs.OpenAIInstrumentor
    before = [vars(owner)[name] for name in ("_instrument", "_uninstrument")]
    for _ in range(3):
        switch_on("ours")
        now = [vars(owner)[name] for name in ("_instrument", "_uninstrument")]
        assert all(a is not b for a, b in zip(now, before, strict=True))
        DeepSeekInstrumentor().uninstrument()
        now = [vars(owner)[name] for name in ("_instrument", "_uninstrument")]
        assert all(a is b for a, b in zip(now, before, strict=True))


@pytest.mark.parametrize("order", ORDERS)
def test_a_method_that_a_client_kept_stays_ours(
    switch_on: Callable[[str], None],
    deepseek: Simulator,
    telemetry: Telemetry,
    order: str,
) -> None:
    client = openai.OpenAI(base_url=deepseek.base_url, api_key="sk-test-1234")
    first, last = order.split(", ")
    switch_on(first)
    kept = client.chat.completions.with_raw_response.create
    switch_on(last)
    deepseek.answer_next(Recorded.read(SAMPLES / "chat_thinking.json"))
    kept(**CHAT)
    # Bound before we were there, it is beyond our reach.
    whose = {"ours": (OURS, "deepseek"), "theirs": (THEIRS, "openai")}[first]
    assert telemetry.summary == [whose]


@pytest.mark.parametrize("order", ORDERS)
def test_suppressed_a_deepseek_call_is_nobodys(
    switch_on: Callable[[str], None],
    deepseek: Simulator,
    telemetry: Telemetry,
    order: str,
) -> None:
    switch_on(order)
    with suppress_instrumentation():
        call(deepseek)
    assert telemetry.summary == []
