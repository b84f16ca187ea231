"""What is known of the requests: secrets, hosts, and that they are recorded once."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, cast

import httpx
import pytest
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import StatusCode

from examples.simulator import RecordedResponse
from opentelemetry.instrumentation.deepseek import _litellm_patches
from opentelemetry.instrumentation.deepseek._client_call import ClientCall, call_async
from opentelemetry.instrumentation.deepseek._errors import describe_error
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

    def report(request: httpx.Request) -> None:
        # Threads of litellm may send requests of their own.
        if str(request.url).startswith(deepseek.base_url):
            inside.append(is_inside_recorded_call())

    def spy(client: Any, request: httpx.Request, **kwargs: Any) -> Any:
        report(request)
        return send(client, request, **kwargs)

    async def spy_async(client: Any, request: httpx.Request, **kwargs: Any) -> Any:
        report(request)
        return await send_async(client, request, **kwargs)

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


class ApplicationError(Exception):
    """Not an error of an HTTP client: its response is a dictionary."""

    response: ClassVar = {"Error": {"Code": "Throttled"}}


def test_error_of_the_application_reaches_it(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise ApplicationError("from a hook")

    monkeypatch.setattr(httpx.Client, "send", fail)
    monkeypatch.setattr(httpx.AsyncClient, "send", fail)
    instrument()

    # litellm has a class of its own for it.
    with pytest.raises(Exception, match="from a hook"):
        call()

    assert telemetry.span.status.status_code is StatusCode.ERROR


def test_answer_without_the_expected_form_is_not_in_the_description() -> None:
    error = litellm.exceptions.JSONSchemaValidationError(
        "deepseek-flash", "deepseek", '{"message": "Dear Ada"}', "{}"
    )
    assert describe_error(error, with_content=False).message == ""
    assert "Dear Ada" in describe_error(error, with_content=True).message


@pytest.mark.internal_error
@pytest.mark.parametrize("model", ["deepseek/deepseek-flash", "openai/deepseek-flash"])
def test_request_of_an_unknown_form_is_recorded_as_one_of_httpx(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
) -> None:
    def fail(*_: Any) -> Any:
        raise KeyError("data")

    for name in ("_sent_request", "_sent_openai_request"):
        monkeypatch.setattr(_litellm_patches, name, fail)
    # litellm may have been patched before, and each `instrument()` patches it again.
    instrument()
    deepseek.answer_next(sample("chat_plain.json"))
    assert call(model=model).choices
    assert telemetry.span.name == "chat deepseek-flash"


@pytest.mark.internal_error
def test_response_of_an_unknown_form_reaches_the_application(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_litellm_patches, "_received_response", lambda _: None)
    instrument()
    deepseek.answer_next(sample("chat_plain.json"))
    assert call().choices
    assert telemetry.span.attributes["gen_ai.usage.input_tokens"]


@pytest.mark.parametrize(
    ("path", "names"),
    [("/chat/completions", ["chat deepseek-flash"]), ("/search", [])],
)
def test_request_outside_a_call_is_one_of_httpx(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    path: str,
    names: list[str],
) -> None:
    instrument()
    deepseek.answer_next(sample("chat_plain.json"))
    handler = litellm.module_level_client
    with suppress(httpx.HTTPStatusError):  # there is no search
        handler.post(deepseek.base_url + path, json={"model": "deepseek-flash"})
    assert [span.name for span in telemetry.spans] == names


@pytest.mark.parametrize("hosts", [[], ["127.0.0.1"]])
def test_request_of_a_tool_within_a_call_has_no_span(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    hosts: list[str],
) -> None:
    instrument(hosts=hosts)
    with ClientCall("chat") as client_call, suppress(httpx.HTTPStatusError):
        litellm.module_level_client.post(deepseek.base_url + "/search", json={})
    assert client_call.invocation is None
    assert telemetry.spans == []


def test_stream_that_is_not_read_has_no_answer() -> None:
    response = httpx.Response(200, content=iter([b"{}"]))
    assert _litellm_patches._received_response(response).read_body() is None
    assert not response.is_stream_consumed


def test_repetition_of_a_failed_request_has_no_call_of_its_own() -> None:
    async def complete() -> str:
        return "answer"

    failed = SimpleNamespace(end_with_answer=lambda: False, __exit__=lambda *_: None)
    with ClientCall("chat") as client_call:
        client_call.invocation = cast("Any", failed)
        result = call_async("chat", complete, None, (), {})
    assert result.cr_code is complete.__code__
    assert asyncio.run(result) == "answer"


def test_span_ends_with_its_error_before_another_provider_is_tried() -> None:
    error = ConnectionError()
    failures: list[BaseException] = []
    client_call = ClientCall()
    for request_error in (None, error):
        client_call.invocation = cast(
            "Any", SimpleNamespace(request_error=request_error, fail=failures.append)
        )
        client_call.end_failed_request()
    assert failures == [error]
    assert client_call.invocation is None
    client_call.end_failed_request()
