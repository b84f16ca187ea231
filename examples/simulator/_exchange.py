"""A request to the simulator and its response."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ._faults import NO_FAULT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._faults import Fault


class TokenCounts(NamedTuple):
    """Tokens that DeepSeek bills; `cached` is a part of `input`."""

    input: int
    cached: int
    output: int


@dataclass
class Exchange:
    """One request and its response, as both were sent over HTTP.

    Attributes:
        method: The HTTP method.
        path: The path of the request, including the query string.
        request_headers: The headers of the request, with names in lower case.
        request_body: The body of the request, as bytes.
        status: The HTTP status; 0 while there is none.
        response_body: The bytes of the response body sent so far, without the
            framing of chunked transfer encoding.
        usage: The `usage` object of the response; None if it has none.
        trace_id: The value of the response header `x-ds-trace-id`.
        fault: The fault that was applied to the request.
        is_complete: True once the response is complete; False while it is sent and
            after it was interrupted.

    `usage` and `is_complete` are set before the last byte is sent, so they are
    final once the client has the whole response.
    """

    method: str
    path: str
    request_headers: Mapping[str, str]
    request_body: bytes
    status: int = 0
    response_body: bytes = field(default=b"", repr=False)
    usage: Mapping[str, Any] | None = None
    trace_id: str = ""
    fault: Fault = NO_FAULT
    is_complete: bool = False

    @property
    def request_json(self) -> Any:
        """The parsed body of the request; None if it is not JSON."""
        try:
            return json.loads(self.request_body)
        except ValueError:
            return None

    @property
    def tokens(self) -> TokenCounts | None:
        """The counts in `usage`, which has other names in Anthropic's format."""
        match self.usage:
            case {
                "prompt_tokens": prompt,
                "prompt_cache_hit_tokens": cached,
                "completion_tokens": output,
            }:
                return TokenCounts(prompt, cached, output)
            case {
                "input_tokens": uncached,
                "cache_read_input_tokens": cached,
                "output_tokens": output,
            }:
                return TokenCounts(uncached + cached, cached, output)
            case _:
                return None

    @property
    def api_key(self) -> str:
        """The API key of the request; empty if there is none."""
        if key := self.request_headers.get("x-api-key"):  # of Anthropic's SDK
            return key
        scheme, _, key = self.request_headers.get("authorization", "").partition(" ")
        return key.strip() if scheme.lower() == "bearer" else ""
