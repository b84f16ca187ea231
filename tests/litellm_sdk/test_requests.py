"""What is known of the requests: secrets, hosts, and that they are recorded once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from examples.simulator import RecordedResponse
from opentelemetry.instrumentation.deepseek._telemetry import is_inside_recorded_call

from .conftest import litellm, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator
    from tests.instrumentation.conftest import Telemetry

SECRETS = {
    "key": "gw.QWERTZU/9876+lkjh==",
    "header": "HHxx-extra-TTWX",
    "user": "NNuu-ada-QQLX",
    "password": "PPtt-hunter2-RRMX",
}


@pytest.mark.parametrize("content", ["", "SPAN_ONLY"])
@pytest.mark.parametrize("status", [200, 400])
def test_secrets_are_not_recorded(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    kind: str,
    deepseek: Simulator,
    telemetry: Telemetry,
    content: str,
    status: int,
) -> None:
    instrument(content)
    quoted = " ".join(
        secret
        for name, secret in SECRETS.items()
        if kind == "sync" or name in ("key", "header")
    )
    body = b'{"error": {"message": "%s"}}' % quoted.encode()
    deepseek.answer_next(
        sample("chat_thinking.json")
        if status == 200
        else RecordedResponse(status=status, body=body)
    )
    # aiohttp, which litellm uses in asynchronous calls, refuses a user in the URL.
    user = f"{SECRETS['user']}:{SECRETS['password']}@" if kind == "sync" else ""

    try:
        call(
            api_base=deepseek.base_url.replace("//", "//" + user),
            api_key=SECRETS["key"],
            extra_headers={"X-Extra": SECRETS["header"]},
        )
    except litellm.BadRequestError:
        assert status == 400

    recorded = telemetry.span.to_json()
    assert [name for name, secret in SECRETS.items() if secret in recorded] == []


@pytest.mark.parametrize("model", ["deepseek/deepseek-flash", "openai/deepseek-flash"])
@pytest.mark.parametrize("retries", [0, 1])
def test_http_request_is_inside_the_recorded_call(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    retries: int,
) -> None:
    inside = []
    send, send_async = httpx.Client.send, httpx.AsyncClient.send

    def spy(*args: Any, **kwargs: Any) -> Any:
        inside.append(is_inside_recorded_call())
        return send(*args, **kwargs)

    async def spy_async(*args: Any, **kwargs: Any) -> Any:
        inside.append(is_inside_recorded_call())
        return await send_async(*args, **kwargs)

    monkeypatch.setattr(httpx.Client, "send", spy)
    monkeypatch.setattr(httpx.AsyncClient, "send", spy_async)
    instrument()
    if retries:
        deepseek.answer_next(sample("error_503.json"))
    deepseek.answer_next(sample("chat_thinking.json"))

    call(model=model, num_retries=retries)

    assert inside
    assert all(inside)
    assert not is_inside_recorded_call()


@pytest.mark.parametrize(
    ("model", "is_recorded"),
    [("hosted_vllm/deepseek-ai/DeepSeek-V3.1", True), ("hosted_vllm/llama", False)],
)
def test_every_host_means_calls_of_deepseek_models_only(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    model: str,
    is_recorded: bool,
) -> None:
    instrument(hosts=["*"])
    deepseek.answer_next(sample("chat_thinking.json"))
    call(model=model)
    assert len(telemetry.spans) == is_recorded


@pytest.mark.parametrize("stream", [False, True])
def test_call_that_is_not_sampled_is_unchanged(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    stream: bool,
) -> None:
    instrument(
        tracer_provider=TracerProvider(sampler=ALWAYS_OFF),
        meter_provider=NoOpMeterProvider(),
    )
    deepseek.answer_next(
        sample("stream_thinking.sse" if stream else "chat_thinking.json")
    )
    assert call(stream=stream)
