"""Coexistence with the official instrumentation of Anthropic's SDK.

That instrumentation records every host as Anthropic. For a call to DeepSeek it must
make no span. It makes none where another instrumentation is recording the call, which
it learns from the context: that is the protocol of `opentelemetry-util-genai`. So the
order of the two instrumentations does not matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import attach, detach, get_value, set_value
from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from ._request import request_body
from ._suppress import suppress_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._endpoint import DeepSeekHosts

ANTHROPIC_INSTRUMENTATION_MODULE: Final = (
    "opentelemetry.instrumentation.genai.anthropic.patch"
)
# Every wrapper of that module calls it, when the call starts. There is no public
# function between a wrapper and its span; a test fails if this one moves.
CREATE_INVOCATION: Final = "_create_invocation"


def invocation_wrapper(hosts: DeepSeekHosts) -> Any:
    """Returns the wrapper of `_create_invocation(handler, resource, args, kwargs)`."""
    # Imported here because the GenAI library takes a fifth of a second to import.
    from ._genai import CLIENT_INFERENCE_CONTEXT_KEY, EnclosingInference

    def wrapper(wrapped: Callable[..., Any], _: Any, args: Any, kwargs: Any) -> Any:
        if (
            not is_instrumentation_enabled()
            or not _is_recorded(hosts, args)
            or get_value(CLIENT_INFERENCE_CONTEXT_KEY) is not None
        ):
            return wrapped(*args, **kwargs)
        token = attach(set_value(CLIENT_INFERENCE_CONTEXT_KEY, EnclosingInference()))
        try:
            return wrapped(*args, **kwargs)
        finally:
            detach(token)

    return wrapper


def _is_recorded(hosts: DeepSeekHosts, args: Any) -> bool:
    with suppress_errors("reading the base URL of a client"):
        _handler, resource, _args, arguments = args
        endpoint = hosts.endpoint_of(resource._client)  # noqa: SLF001  # no other way to it
        model = request_body(arguments).get("model")
        return endpoint is not None and endpoint.serves(model)
    return False
