"""The calls of the SDK. Each function makes one, and says what it got."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import openai
from openai import AsyncOpenAI, AsyncStream, OpenAI, Stream
from openai._legacy_response import LegacyAPIResponse
from openai.types import Completion
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from .name_resolution import DEEPSEEK_HOST
from .observation import Observation

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from examples.simulator import Simulator

# DeepSeek quotes the last four characters of a key that it rejects.
API_KEY: Final = "sk-side-by-side-kZq7Xw9Vj"
_MODEL: Final = "deepseek-flash"
ALIAS: Final = "deepseek-v4-flash"
# Longer than the 64 tokens from which DeepSeek's cache starts.
_SYSTEM: Final = {
    "role": "system",
    "content": "You are a careful counter of letters. "
    + "Spell every word twice. " * 20,
}
QUESTION: Final = "How many r's are in strawberry?"
_MESSAGES: Final = [_SYSTEM, {"role": "user", "content": QUESTION}]
_WEATHER: Final = {"role": "user", "content": "How is the weather in Paris?"}
TOOL_RESULT: Final = "18 degrees and a light drizzle"
_TOOL: Final = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The current weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
_SAMPLES: Final = Path(__file__).parents[2] / "deepseek_samples"
_CHUNKS_OF_A_LEFT_STREAM: Final = 8
# So that what has arrived of an incomplete stream is a part of the answer.
_WITHOUT_THINKING: Final = {"thinking": {"type": "disabled"}}


class Calls:
    """`application_span` is a context manager that yields the id of a span."""

    def __init__(
        self,
        simulator: Simulator,
        application_span: Callable[[], AbstractContextManager[str]],
    ) -> None:
        self._simulator = simulator
        self._application_span = application_span
        port = simulator.base_url.rpartition(":")[2]
        self._url = f"http://{DEEPSEEK_HOST}:{port}"
        self._client = self._create_client()

    def _create_client(self, path: str = "") -> OpenAI:
        return OpenAI(base_url=self._url + path, api_key=API_KEY, max_retries=0)

    def _create(self, resource: Any = None, **options: Any) -> Any:
        resource = resource or self._client.chat.completions
        arguments = {"model": _MODEL, "messages": _MESSAGES, "temperature": 0.7}
        return resource.create(**arguments | options)

    def chat(self, seen: Observation) -> None:
        completion = self._create()
        seen.check("completion", completion, ChatCompletion)
        seen.results["content"] = completion.choices[0].message.content

    def stream(self, seen: Observation) -> None:
        stream = self._create(stream=True)
        seen.check("stream", stream, Stream)
        seen.results["stream.response.status_code"] = stream.response.status_code
        seen.read(stream)

    def stream_closed(self, seen: Observation) -> None:
        with self._create(stream=True, extra_body=_WITHOUT_THINKING) as stream:
            seen.read(stream, _CHUNKS_OF_A_LEFT_STREAM)

    def stream_left(self, seen: Observation) -> None:
        stream = self._create(stream=True, extra_body=_WITHOUT_THINKING)
        seen.read(stream, _CHUNKS_OF_A_LEFT_STREAM)

    def stream_dropped(self, seen: Observation) -> None:
        self._simulator.fail_next("drop after=5")
        seen.read(self._create(stream=True, extra_body=_WITHOUT_THINKING))

    def stream_cut(self, seen: Observation) -> None:
        self._simulator.fail_next("cut after=5")
        seen.read(self._create(stream=True, extra_body=_WITHOUT_THINKING))

    def alias(self, seen: Observation) -> None:
        """DeepSeek serves this name with another model."""
        completion = self._create(model=ALIAS)
        seen.results["model"] = completion.model

    def tools(self, seen: Observation) -> None:
        completion = self._create(messages=[_WEATHER], tools=[_TOOL])
        seen.check("completion", completion, ChatCompletion)
        self._tool_answer = completion.choices[0].message
        seen.results["tool calls"] = len(self._tool_answer.tool_calls)

    def tools_follow_up(self, seen: Observation) -> None:
        (call,) = self._tool_answer.tool_calls
        result = {"role": "tool", "tool_call_id": call.id, "content": TOOL_RESULT}
        answer = self._tool_answer.model_dump(exclude_none=True)
        completion = self._create(messages=[_WEATHER, answer, result], tools=[_TOOL])
        seen.check("completion", completion, ChatCompletion)

    def stream_tools(self, seen: Observation) -> None:
        seen.read(self._create(messages=[_WEATHER], tools=[_TOOL], stream=True))

    def json_mode(self, seen: Observation) -> None:
        """DeepSeek has no JSON schemas, so the answer is not parsed to a class."""
        completion = self._client.chat.completions.parse(
            model=_MODEL,
            messages=[{"role": "user", "content": "Name a city, in JSON."}],
            response_format={"type": "json_object"},  # type: ignore[arg-type]
        )
        seen.check("completion", completion, ChatCompletion)
        json.loads(completion.choices[0].message.content or "")

    def stream_helper(self, seen: Observation) -> None:
        messages: Any = _MESSAGES
        with self._client.chat.completions.stream(
            model=_MODEL, messages=messages
        ) as stream:
            seen.results["events"] = sum(1 for _ in stream)
            completion = stream.get_final_completion()
        seen.check("completion", completion, ChatCompletion)

    def fim(self, seen: Observation) -> None:
        completion = self._create_client("/beta").completions.create(
            model="deepseek-v4-pro", prompt="def add(a, b):", suffix="    return c"
        )
        seen.check("completion", completion, Completion)

    def error(self, seen: Observation) -> None:
        self._simulator.fail_next("401")
        self._create()

    def retry(self, seen: Observation) -> None:
        self._simulator.fail_next("429")
        client = self._client.with_options(max_retries=2)
        completion = self._create(client.chat.completions)
        seen.check("completion", completion, ChatCompletion)

    def async_chat(self, seen: Observation) -> None:
        asyncio.run(self._async_chat(seen))

    async def _async_chat(self, seen: Observation) -> None:
        async with AsyncOpenAI(base_url=self._url, api_key=API_KEY) as client:
            completion = await self._create(client.chat.completions)
            seen.check("completion", completion, ChatCompletion)

    def async_stream(self, seen: Observation) -> None:
        asyncio.run(self._async_stream(seen))

    async def _async_stream(self, seen: Observation) -> None:
        async with AsyncOpenAI(base_url=self._url, api_key=API_KEY) as client:
            stream = await self._create(client.chat.completions, stream=True)
            seen.check("stream", stream, AsyncStream)
            await seen.read_async(stream)

    def raw_response(self, seen: Observation) -> None:
        response = self._create(self._client.chat.completions.with_raw_response)
        seen.check("response", response, LegacyAPIResponse)
        seen.results["response.headers"] = "x-ds-trace-id" in response.headers
        seen.check("response.parse()", response.parse(), ChatCompletion)

    def raw_stream(self, seen: Observation) -> None:
        resource = self._client.chat.completions.with_raw_response
        response = self._create(resource, stream=True)
        seen.check("response", response, LegacyAPIResponse)
        stream = response.parse()
        seen.check("response.parse()", stream, Stream)
        seen.read(stream)

    def streaming_response(self, seen: Observation) -> None:
        resource = self._client.chat.completions.with_streaming_response
        with self._create(resource) as response:
            seen.check("response", response, openai.APIResponse)
            seen.check("response.parse()", response.parse(), ChatCompletion)

    def responses(self, seen: Observation) -> None:
        self._simulator.answer_next(_SAMPLES / "responses.json")
        response = self._client.responses.create(model=_MODEL, input=QUESTION)
        seen.check("response", response, Response)

    def application(self, seen: Observation) -> None:
        with self._application_span() as span_id:
            seen.results["application span"] = span_id
            self._create()


CALLS: Final = tuple(
    name
    for name, member in vars(Calls).items()
    if not name.startswith("_") and callable(member)
)


def make_call(calls: Calls, simulator: Simulator, name: str) -> dict[str, Any]:
    """Returns when the call was made, its exchanges, and what the program saw."""
    seen = Observation()
    first_exchange = len(simulator.exchanges)
    start_ns = time.time_ns()
    seen.results["raises"] = None
    try:
        getattr(calls, name)(seen)
    except Exception as error:  # noqa: BLE001  # the program sees it
        seen.results["raises"] = type(error).__name__
        seen.results["message"] = str(error)[:200]
    # Ends a stream that is left, also if it is a part of a reference cycle.
    gc.collect()
    return {
        "name": name,
        "start_ns": start_ns,
        "end_ns": time.time_ns(),
        "first_chunk_ns": seen.first_chunk_ns,
        "last_chunk_ns": seen.last_chunk_ns,
        "exchanges": [first_exchange, len(simulator.exchanges)],
        "results": seen.results,
    }
