"""The functions of litellm that are patched.

Wrappers around litellm's functions alone would not know where a call goes, and wrappers
around its requests alone would not know of its retries, nor have a parsed answer. So
both are wrapped; `_client_call` says how they work together.

`litellm.text_completion`, the Router and the functions that translate between APIs call
these functions.
"""

from __future__ import annotations

import json
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from ._coerce import EMPTY, as_text
from ._litellm_otel import OTEL_MODULES, otel_patches_of
from ._patch import Patch
from ._request import request_body
from ._response_body import parse_body
from ._sent_request import SentRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import ModuleType

    from ._client_call import ReceivedResponse
    from ._endpoint import DeepSeekHosts
    from ._signals import Signals

_OK: Final = 200
_HTTP_MODULE: Final = "litellm.llms.custom_httpx.http_handler"
# Sends calls with the prefix `openai/` by a client of the openai SDK, but not by the
# methods of the SDK that are patched.
_OPENAI_MODULE: Final = "litellm.llms.openai.openai"
# Each row: a module, the operation that reads results, its functions, and those that
# are asynchronous. The functions that a program imports call these at run time, so it
# does not matter when the program has imported them.
_FUNCTIONS: Final = (
    ("litellm.main", "chat", ("completion",), ("acompletion",)),
    ("litellm.responses.main", "responses", ("responses",), ("aresponses",)),
    (
        "litellm.llms.anthropic.messages.native.handler",
        "messages",
        ("anthropic_messages_handler",),
        ("anthropic_messages",),
    ),
)
MODULES: Final = (
    frozenset(module for module, *_ in _FUNCTIONS)
    | {_HTTP_MODULE, _OPENAI_MODULE}
    | OTEL_MODULES
)


def patches_of(
    module: ModuleType, hosts: DeepSeekHosts, signals: Callable[[], Signals]
) -> Iterator[Patch]:
    """Yields the patches of an imported module of MODULES."""
    # Imported here because the GenAI library takes a fifth of a second to import.
    from ._client_call import RequestWrappers, call, call_async

    for name, operation, functions, async_functions in _FUNCTIONS:
        if module.__name__ == name:
            for function in functions:
                yield Patch(module, function, partial(call, operation))
            for function in async_functions:
                yield Patch(module, function, partial(call_async, operation))
    if module.__name__ == _HTTP_MODULE:
        wrappers = RequestWrappers(hosts, signals(), _sent_request, _received_response)
        yield Patch(module.HTTPHandler, "post", wrappers.send)
        yield Patch(module.AsyncHTTPHandler, "post", wrappers.send_async)
    if module.__name__ == _OPENAI_MODULE:
        wrappers = RequestWrappers(
            hosts, signals(), _sent_openai_request, _received_openai_response
        )
        owner: type = module.OpenAIChatCompletion
        name = "make_{}openai_chat_completion_request"
        yield Patch(owner, name.format("sync_"), wrappers.send)
        yield Patch(owner, name.format(""), wrappers.send_async)
    yield from otel_patches_of(module, hosts)


def _sent_request(_: Any, args: Any, kwargs: Any) -> SentRequest:
    arguments = dict(zip(("url", "data"), args, strict=False)) | kwargs
    logging_object = arguments.get("logging_obj")
    return SentRequest(
        str(arguments["url"]),
        partial(_read_body, arguments),
        lambda: arguments.get("headers") or EMPTY,
        getattr(logging_object, "model", None),
    )


def _received_response(response: Any) -> ReceivedResponse:
    from ._client_call import ReceivedResponse

    def read_body() -> Any:
        with suppress(RuntimeError):  # httpx raises it for a stream
            return parse_body(response.content)
        return None

    return ReceivedResponse(response.headers, response.status_code, read_body)


def _sent_openai_request(_: Any, args: Any, kwargs: Any) -> SentRequest:
    names = ("openai_client", "data")
    arguments = dict(zip(names, args, strict=False)) | kwargs
    client = arguments.get("openai_client") or arguments["openai_aclient"]
    body: Mapping[str, Any] = arguments["data"]
    return SentRequest(
        str(client.base_url).rstrip("/") + "/chat/completions",
        lambda: request_body(body),
        lambda: {**client.default_headers, **(body.get("extra_headers") or EMPTY)},
        as_text(body.get("model")),
    )


def _received_openai_response(result: Any) -> ReceivedResponse:
    from ._client_call import ReceivedResponse

    headers, completion = result
    return ReceivedResponse(headers, _OK, lambda: completion)


def _read_body(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    # The body before litellm has encoded it.
    details: Any = getattr(arguments.get("logging_obj"), "model_call_details", EMPTY)
    body: object = (details.get("additional_args") or EMPTY).get("complete_input_dict")
    if not isinstance(body, dict):
        body = arguments.get("json") or json.loads(arguments["data"])
    body = cast("Mapping[str, Any]", body)
    # It is added later.
    return {**body, "stream": True} if arguments.get("stream") else body
