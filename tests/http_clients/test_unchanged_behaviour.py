"""What an application and a server see of a request stays the same."""

from __future__ import annotations

import asyncio
import copy
import inspect
import pickle
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import httpx2
import openai
import pytest
import requests
from opentelemetry.instrumentation.utils import suppress_instrumentation

from tests.instrumentation.attributes import THINKING_STREAM
from tests.instrumentation.conftest import CHAT, sample

from .conftest import PATHS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from examples.simulator import Simulator
    from tests.instrumentation.comparison import Comparison
    from tests.instrumentation.conftest import Telemetry

STREAM = {**CHAT, "stream": True}
HTTPX_MODULES = pytest.mark.parametrize("module", [httpx, httpx2])


@pytest.mark.parametrize("read", [None, "read", "lines"])
@pytest.mark.parametrize("fault", ["", "503", "drop"])
def test_program_and_server_see_the_same(
    comparison: Comparison,
    deepseek: Simulator,
    read: str | None,
    fault: str,
) -> None:
    if fault:
        deepseek.fail_next(fault, times=2)
    else:
        deepseek.answer_next(sample("chat_thinking.json"), times=2)

    comparison(lambda: {"body": CHAT, "read": read})


@HTTPX_MODULES
def test_response_of_httpx_is_the_same_object(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    module: Any,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse"))

    with module.Client(verify=False) as client:
        url = deepseek.base_url + PATHS["chat"]
        request = client.build_request("POST", url, json=STREAM)
        response = client.send(request, stream=True)
        assert isinstance(response, module.Response)
        assert (type(response).__name__, type(response).__module__) == (
            "Response",
            module.Response.__module__,
        )
        assert not response.is_stream_consumed
        assert telemetry.spans == []
        body = response.read()
        assert type(response) is module.Response
        assert response.num_bytes_downloaded == len(body)
        assert pickle.loads(pickle.dumps(response)).content == body
        with pytest.raises(module.StreamConsumed):
            next(response.iter_raw())

    assert telemetry.span.attributes == THINKING_STREAM


@HTTPX_MODULES
def test_open_response_of_httpx_can_be_copied(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    module: Any,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse"))

    with module.Client(verify=False) as client:
        request = client.build_request(
            "POST", deepseek.base_url + PATHS["chat"], json=STREAM
        )
        response = client.send(request, stream=True)
        assert type(copy.copy(response)) is module.Response
        assert b"[DONE]" in response.read()

    assert telemetry.span.name == "chat deepseek-flash"


def test_open_response_of_requests_can_be_pickled(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("stream_thinking.sse"))

    url = deepseek.base_url + PATHS["chat"]
    with requests.post(url, json=STREAM, stream=True) as response:
        assert b"[DONE]" in pickle.loads(pickle.dumps(response)).content
        assert type(response) is requests.Response

    assert telemetry.span.attributes == THINKING_STREAM


@HTTPX_MODULES
def test_body_that_the_application_generates_is_not_read_twice(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    module: Any,
) -> None:
    instrument()
    deepseek.answer_next(sample("chat_thinking.json"))

    def pieces() -> Iterator[bytes]:
        yield b'{"model": "deepseek-flash",'
        yield b' "messages": []}'

    url = deepseek.base_url + PATHS["chat"]
    response = module.post(url, content=pieces(), verify=False)

    (exchange,) = deepseek.exchanges
    assert response.status_code == 200
    assert exchange.request_body == b"".join(pieces())
    assert telemetry.span.name == "chat"
    assert telemetry.span.attributes["gen_ai.response.model"] == "deepseek-flash"


@pytest.mark.parametrize("library", ["httpx", "httpx2", "requests"])
def test_redirect_and_authentication_are_one_span(
    instrument: Callable[..., None],
    deepseek: Simulator,
    telemetry: Telemetry,
    library: str,
) -> None:
    instrument()
    deepseek.answer_next(sample("chat_thinking.json"))
    url = deepseek.base_url + PATHS["chat"]
    attempts: list[str] = []

    def retry_with_a_key(request: Any) -> Any:
        response = yield request
        attempts.append(str(response.status_code))
        request.headers["authorization"] = "Bearer sk-2"
        yield request

    if library == "requests":
        response = requests.post(url, json=CHAT, auth=("user", "password"))
        attempts.append("0")
    else:
        module = {"httpx": httpx, "httpx2": httpx2}[library]
        auth = type(
            "Auth", (module.Auth,), {"auth_flow": lambda _, r: retry_with_a_key(r)}
        )
        response = module.post(url, json=CHAT, auth=auth(), verify=False)

    assert attempts
    assert response.status_code == 200
    assert telemetry.span.name == "chat deepseek-flash"


def test_call_of_the_sdk_has_no_second_span(
    instrument: Callable[..., None], deepseek: Simulator, telemetry: Telemetry
) -> None:
    instrument()
    deepseek.fail_next("503")
    deepseek.answer_next(sample("chat_thinking.json"))

    with openai.OpenAI(base_url=deepseek.base_url, api_key="none") as client:
        client.chat.completions.create(**CHAT)

    assert len(deepseek.exchanges) == 2
    assert telemetry.span.name == "chat deepseek-flash"


def test_request_that_the_sdk_sends_by_another_method_is_recorded(
    instrument: Callable[..., None], deepseek: Simulator, telemetry: Telemetry
) -> None:
    instrument()
    deepseek.answer_next(sample("chat_thinking.json"))

    with openai.OpenAI(base_url=deepseek.base_url, api_key="none") as client:
        client.post("/chat/completions", cast_to=httpx2.Response, body=CHAT)

    assert telemetry.span.name == "chat deepseek-flash"


def test_suppressed_instrumentation_makes_no_span(
    instrument: Callable[..., None],
    call: Callable[..., Any],
    deepseek: Simulator,
    telemetry: Telemetry,
) -> None:
    instrument()
    deepseek.answer_next(sample("chat_thinking.json"))

    with suppress_instrumentation():
        call()

    assert telemetry.spans == []


def test_methods_look_the_same_and_are_restored(
    instrument: Callable[..., None],
) -> None:
    from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

    owners = (
        (httpx.Client, "send"),
        (httpx.AsyncClient, "send"),
        (httpx2.Client, "send"),
        (httpx2.AsyncClient, "send"),
        (requests.Session, "send"),
        (aiohttp.ClientSession, "_request"),
    )
    before = [vars(owner)[name] for owner, name in owners]
    instrument()
    for original, (owner, name) in zip(before, owners, strict=True):
        method = vars(owner)[name]
        assert method is not original
        assert inspect.signature(method) == inspect.signature(original)
        assert inspect.iscoroutinefunction(method) == inspect.iscoroutinefunction(
            original
        )
    DeepSeekInstrumentor().uninstrument()
    assert [vars(owner)[name] for owner, name in owners] == before


def test_wrong_arguments_raise_the_same_error(instrument: Callable[..., None]) -> None:
    def errors() -> list[str]:
        found: list[str] = []
        for function in (
            lambda: httpx.Client(verify=False).send(),
            lambda: httpx.Client(verify=False).send(None),
            lambda: requests.Session().send(requests.Request("POST", "http://x")),
            lambda: asyncio.run(aiohttp.ClientSession._request(None)),
        ):
            with pytest.raises((AttributeError, TypeError, ValueError)) as info:
                function()
            found.append(repr(info.value))
        return found

    expected = errors()
    instrument()
    assert errors() == expected


async def test_session_of_aiohttp_with_a_base_url_is_recorded(
    instrument: Callable[..., None], deepseek: Simulator, telemetry: Telemetry
) -> None:
    """A contract test of the private names `_request` and `_build_url`."""
    instrument()
    deepseek.answer_next(sample("chat_thinking.json"), times=2)

    async with aiohttp.ClientSession(deepseek.base_url) as session:
        await session.request("post", "/chat/completions", json=CHAT)
        response = await session.post("/chat/completions", json=CHAT)
        await response.read()

    assert [span.name for span in telemetry.spans] == ["chat deepseek-flash"] * 2
