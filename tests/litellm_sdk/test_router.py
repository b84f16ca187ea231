"""`litellm.Router`: one span for each deployment that is tried."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import StatusCode

from tests.instrumentation.attributes import START

from .conftest import KEY, MODEL, QUESTION, litellm, read_all_async, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator
    from tests.instrumentation.conftest import Telemetry


def deployment(name: str, base_url: str) -> dict[str, Any]:
    return {
        "model_name": name,
        "litellm_params": {"model": MODEL, "api_base": base_url, "api_key": KEY},
    }


@pytest.fixture
def router(deepseek: Simulator) -> litellm.Router:
    return litellm.Router(
        model_list=[
            deployment("first", deepseek.base_url),
            deployment("second", deepseek.base_url),
        ],
        fallbacks=[{"first": ["second"]}],
        num_retries=0,
    )


def complete(router: litellm.Router, kind: str, **arguments: Any) -> Any:
    arguments = {"model": "first", "messages": QUESTION, **arguments}
    if kind == "sync":
        result = router.completion(**arguments)
        return list(result) if arguments.get("stream") else result

    async def run() -> Any:
        result = await router.acompletion(**arguments)
        return await read_all_async(result) if arguments.get("stream") else result

    return asyncio.run(run())


@pytest.mark.parametrize("stream", [False, True])
def test_call_has_one_span(
    instrument: Callable[..., None],
    router: litellm.Router,
    deepseek: Simulator,
    telemetry: Telemetry,
    kind: str,
    stream: bool,
) -> None:
    instrument()
    name = "stream_thinking.sse" if stream else "chat_thinking.json"
    deepseek.answer_next(sample(name))
    complete(router, kind, stream=stream)
    assert telemetry.span.attributes.items() >= START.items()
    assert telemetry.span.attributes["gen_ai.usage.input_tokens"] == 97


def test_each_tried_deployment_has_a_span(
    instrument: Callable[..., None],
    router: litellm.Router,
    deepseek: Simulator,
    telemetry: Telemetry,
    kind: str,
) -> None:
    instrument()
    deepseek.answer_next(sample("error_503.json"))
    deepseek.answer_next(sample("chat_thinking.json"))

    complete(router, kind)

    assert [span.status.status_code for span in telemetry.spans] == [
        StatusCode.ERROR,
        StatusCode.UNSET,
    ]


def test_fallbacks_of_a_function_have_a_span_each(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    kind: str,
) -> None:
    instrument()
    deepseek.answer_next(sample("error_503.json"))
    deepseek.answer_next(sample("chat_thinking.json"))
    arguments: Any = {
        "model": MODEL,
        "api_base": deepseek.base_url,
        "api_key": KEY,
        "messages": QUESTION,
        "fallbacks": ["deepseek/deepseek-v4-pro"],
    }

    if kind == "sync":
        litellm.completion(**arguments)
    else:
        asyncio.run(litellm.acompletion(**arguments))

    assert [span.attributes["gen_ai.request.model"] for span in telemetry.spans] == [
        "deepseek-flash",
        "deepseek-v4-pro",
    ]
