"""The methods of DSPy's own engine that are patched.

The engine, `dspy/_vendor/lm15`, opens connections itself and has types of its own for
requests and responses. It keeps the body of a response, and a request has its body, so
both are read as DeepSeek sends and gets them. DSPy's other engine is litellm.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ._coerce import EMPTY
from ._patch import Patch
from ._sent_request import SentRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from ._client_call import ReceivedResponse
    from ._endpoint import DeepSeekHosts
    from ._signals import Signals

_PROVIDERS: Final = "dspy._vendor.lm15.providers."
# The modules of the base classes of the engine's clients.
_SYNC_MODULE: Final = _PROVIDERS + "base"
_ASYNC_MODULE: Final = _PROVIDERS + "async_base"
MODULES: Final = frozenset({_SYNC_MODULE, _ASYNC_MODULE})


def patches_of(
    module: ModuleType, hosts: DeepSeekHosts, signals: Callable[[], Signals]
) -> Iterator[Patch]:
    """Yields the patches of an imported module of MODULES."""
    # Imported here because the GenAI library takes a fifth of a second to import.
    from ._client_call import RequestWrappers
    from ._dspy_calls import DspyStreams, complete, complete_async

    requests = RequestWrappers(hosts, signals(), _request_of_send, _received_response)
    streams = DspyStreams(requests, _sent_request)
    # Private methods send requests: the public ones get neither address nor body.
    if module.__name__ == _SYNC_MODULE:
        owner: type = module.BaseProviderLM
        yield Patch(owner, "complete", complete)
        yield Patch(owner, "_send", requests.send)
        yield Patch(owner, "_stream_raw", streams.stream)
    else:
        owner = module.AsyncBaseProviderLM
        yield Patch(owner, "complete", complete_async)
        yield Patch(owner, "_send", requests.send_async)
        yield Patch(owner, "_stream_raw", streams.stream_async)


def _request_of_send(_: Any, args: Any, kwargs: Any) -> SentRequest:
    return _sent_request(args[0] if args else kwargs["request"])


def _sent_request(request: Any) -> SentRequest:
    return SentRequest(
        request.url, partial(_read_body, request), partial(dict, request.headers)
    )


def _received_response(response: Any) -> ReceivedResponse:
    from ._client_call import ReceivedResponse

    headers = {name.lower(): value for name, value in response.headers}
    # No call sends more than one request.
    return ReceivedResponse(headers, response.status, lambda: None)


def _read_body(request: Any) -> Any:
    return json.loads(request.body) if request.body else EMPTY
