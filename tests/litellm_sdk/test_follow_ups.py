"""litellm runs a tool itself, and asks the model again, within one call."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from litellm.integrations.custom_logger import CustomLogger
from litellm.types.integrations.custom_logger import (
    AgenticLoopPlan,
    AgenticLoopRequestPatch,
)
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import StatusCode

from .conftest import litellm, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator
    from tests.instrumentation.conftest import Telemetry

pytestmark = pytest.mark.parametrize("kind", ["async"])  # litellm does it in these
ANSWERS = ["chat_tool_calls_parallel.json", "chat_plain.json"]
MODELS = ["deepseek/deepseek-flash", "openai/deepseek-flash"]
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {}}}


class ToolRunner(CustomLogger):
    async def async_should_run_agentic_loop(
        self, response: Any, *args: Any, **kwargs: Any
    ) -> tuple[bool, dict[str, Any]]:
        calls = response.choices[0].message.tool_calls
        return bool(calls), {"tool_calls": [call.model_dump() for call in calls or ()]}

    async def async_build_agentic_loop_plan(
        self, tools: Any, model: Any, messages: Any, response: Any, **kwargs: Any
    ) -> AgenticLoopPlan:
        results = [
            {"role": "tool", "tool_call_id": call["id"], "content": "20 degrees"}
            for call in tools["tool_calls"]
        ]
        answer = response.choices[0].message.model_dump()
        return AgenticLoopPlan(
            run_agentic_loop=True,
            request_patch=AgenticLoopRequestPatch(
                messages=[*messages, answer, *results]
            ),
        )


@pytest.fixture(autouse=True)
def _tool_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litellm, "callbacks", [ToolRunner()])


@pytest.mark.parametrize("model", MODELS)
def test_each_request_has_a_span_with_its_tokens(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    kind: str,
    model: str,
) -> None:
    instrument("SPAN_ONLY")
    for name in ANSWERS:
        deepseek.answer_next(sample(name))

    answer = call(model=model, tools=[TOOL]).choices[0].message.content

    first, last = telemetry.spans
    assert first.attributes["gen_ai.response.finish_reasons"] == ("tool_calls",)
    assert "get_weather" in first.attributes["gen_ai.output.messages"]
    assert last.attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert "20 degrees" in last.attributes["gen_ai.input.messages"]
    assert answer in last.attributes["gen_ai.output.messages"]
    assert [span.attributes["gen_ai.usage.input_tokens"] for span in (first, last)] == [
        json.loads(sample(name).body)["usage"]["prompt_tokens"] for name in ANSWERS
    ]


@pytest.mark.parametrize("model", MODELS)
def test_error_belongs_to_the_request_that_failed(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    kind: str,
    model: str,
) -> None:
    instrument()
    deepseek.answer_next(sample("chat_tool_calls_parallel.json"))
    deepseek.answer_next(sample("error_401_bad_key.json"))

    with pytest.raises(litellm.AuthenticationError):
        call(model=model, tools=[TOOL])

    first, last = telemetry.spans
    assert first.status.status_code is StatusCode.UNSET
    assert first.attributes["gen_ai.usage.output_tokens"]
    assert last.attributes["http.response.status_code"] == 401


def test_requests_that_are_not_sampled_have_no_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    kind: str,
) -> None:
    instrument(
        tracer_provider=TracerProvider(sampler=ALWAYS_OFF),
        meter_provider=NoOpMeterProvider(),
    )
    for name in ANSWERS:
        deepseek.answer_next(sample(name))

    assert call(tools=[TOOL]).choices[0].finish_reason == "stop"
    assert len(deepseek.exchanges) == len(ANSWERS)
