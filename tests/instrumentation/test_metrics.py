from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest
from opentelemetry.metrics import NoOpMeterProvider

from examples.simulator import RecordedResponse

from .conftest import sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry


def test_stream_records_duration_tokens_and_chunks(
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


@pytest.mark.parametrize("chunk_count", [1, 2, 128, 129, 130, 300])
def test_every_chunk_gap_of_a_closed_stream_is_recorded(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    chunk_count: int,
) -> None:
    instrument()
    recorded = sample("stream_plain.sse")
    first, second, *rest = recorded.parts
    body = b"".join([first, *[second] * 400, *rest])
    deepseek.answer_next(RecordedResponse(200, recorded.headers, body))

    async def read_and_close(stream: Any) -> None:
        for _ in range(chunk_count):
            await stream.__anext__() if hasattr(stream, "__anext__") else next(stream)
        closing = stream.close()
        if closing is not None:
            await closing

    call(stream=True, consume=read_and_close)

    gaps = telemetry.metrics.get("gen_ai.client.operation.time_per_output_chunk", [])
    assert sum(point.count for point in gaps) == chunk_count - 1


def test_failed_call_records_its_error_type(
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


TOKEN_COUNTS = {
    "gen_ai.client.inference.usage.input_tokens": 97,
    "gen_ai.client.inference.usage.output_tokens": 18,
    "gen_ai.client.inference.usage.cache_read.input_tokens": 0,
    "gen_ai.client.inference.usage.reasoning.output_tokens": 9,
}


def test_latest_names_are_used_if_configured(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_DEEPSEEK_METRICS", "latest")
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse"))

    chunks = call(stream=True)

    metrics = telemetry.metrics
    prefix = "gen_ai.client.inference"
    assert {name: metrics[name][0].value for name in TOKEN_COUNTS} == TOKEN_COUNTS
    assert all(
        metrics[name][0].attributes["gen_ai.token.modality"] == "unknown"
        for name in TOKEN_COUNTS
    )
    assert {
        name: (points[0].count, points[0].explicit_bounds[0])
        for name, points in metrics.items()
        if name not in TOKEN_COUNTS
    } == {
        f"{prefix}.duration": (1, 0.01),
        f"{prefix}.time_to_first_chunk": (1, 0.01),
        f"{prefix}.time_per_output_chunk": (len(chunks) - 1, 0.01),
        f"{prefix}.operation.input_tokens": (1, 1),
        f"{prefix}.operation.output_tokens": (1, 1),
    }


def test_failed_call_counts_0_tokens_under_the_latest_names(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_DEEPSEEK_METRICS", "latest")
    instrument()
    deepseek.answer_next(sample("error_402.json"))

    with pytest.raises(openai.APIStatusError):
        call()

    metrics = telemetry.metrics
    assert {name: metrics[name][0].value for name in TOKEN_COUNTS} == dict.fromkeys(
        TOKEN_COUNTS, 0
    )
    assert not any("error.type" in metrics[name][0].attributes for name in TOKEN_COUNTS)
    for name in ("duration", "operation.input_tokens", "operation.output_tokens"):
        (point,) = metrics[f"gen_ai.client.inference.{name}"]
        assert point.attributes["error.type"] == "402"


def test_invalid_setting_raises_error_that_names_the_variable(
    instrument: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_DEEPSEEK_METRICS", "newest")
    with pytest.raises(
        ValueError, match=r"^OTEL_INSTRUMENTATION_DEEPSEEK_METRICS must be 'released'"
    ):
        instrument()


def test_time_to_first_chunk_is_recorded_without_a_meter(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument(meter_provider=NoOpMeterProvider())
    deepseek.answer_next(sample("stream_thinking.sse"))
    call(stream=True)
    attributes = telemetry.span.attributes
    assert attributes["gen_ai.response.time_to_first_chunk"] > 0
