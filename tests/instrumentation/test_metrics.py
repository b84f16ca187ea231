from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest

from .conftest import sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry


def test_a_stream_is_measured(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse"))

    chunks = call(stream=True)

    metrics = telemetry.metrics
    counts = {name: sum(p.count for p in points) for name, points in metrics.items()}
    assert counts == {
        "gen_ai.client.operation.duration": 1,
        "gen_ai.client.token.usage": 2,
        "gen_ai.client.operation.time_to_first_chunk": 1,
        "gen_ai.client.operation.time_per_output_chunk": len(chunks) - 1,
    }
    tokens = {
        point.attributes["gen_ai.token.type"]: point.sum
        for point in metrics["gen_ai.client.token.usage"]
    }
    assert tokens == {"input": 97, "output": 18}
    for points in metrics.values():
        for point in points:
            assert dict(point.attributes) == {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "deepseek",
                "gen_ai.request.model": "deepseek-flash",
                "gen_ai.response.model": "deepseek-flash",
                "server.address": "127.0.0.1",
                "server.port": int(deepseek.base_url.rpartition(":")[2]),
            } | {
                key: value
                for key, value in point.attributes.items()
                if key == "gen_ai.token.type"
            }


def test_a_failure_is_measured_by_its_kind(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("error_402.json"))

    with pytest.raises(openai.APIStatusError):
        call()

    ((point,),) = telemetry.metrics.values()
    assert point.attributes["error.type"] == "402"
