"""How the requests and responses of each HTTP client library are read.

The classes of a library are not imported, because no program needs all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast
from urllib.parse import urlsplit

from ._coerce import EMPTY
from ._response_body import ResponseBody, parse_body
from ._sent_request import SentRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._http_invocation import HttpInvocation

_POST: Final = "POST"


class HttpLibrary(NamedTuple):
    """Functions with the instance and the arguments of the method that sends.

    `post_host` returns the host of a POST, and an empty string for another request. It
    runs for every request of a program, so it does nothing else. `record_response`
    records a response that is in memory, and otherwise what the application reads.
    """

    post_host: Callable[[Any, Any, Any], str | None]
    sent_request: Callable[[Any, Any, Any], SentRequest]
    record_response: Callable[[HttpInvocation, Any, Any, Any], None]


def _httpx_post_host(_: Any, args: Any, kwargs: Any) -> str:
    request = args[0] if args else kwargs["request"]
    return request.url.host if request.method == _POST else ""


def _httpx_request(_: Any, args: Any, kwargs: Any) -> SentRequest:
    request = args[0] if args else kwargs["request"]

    def read_body() -> Mapping[str, Any]:
        # A body that the application generates is not in memory.
        with suppress(RuntimeError):
            return _parse(request.content)
        return EMPTY

    return SentRequest(str(request.url), read_body, lambda: request.headers)


def _record_httpx_response(
    invocation: HttpInvocation, response: Any, _: Any, __: Any
) -> None:
    from ._httpx_response import RecordedHttpxResponse
    from ._response_recorder import ResponseRecorder

    invocation.on_http_response(response.headers, response.status_code)
    if not response.is_closed:
        invocation.on_body_open()
        ResponseRecorder(response, RecordedHttpxResponse, invocation)
        return
    # A hook may have closed the response, or read it piece by piece.
    with suppress(RuntimeError):
        ResponseBody(response.headers, invocation).record(response.content)
    invocation.end()


def _requests_post_host(_: Any, args: Any, kwargs: Any) -> str | None:
    request = args[0] if args else kwargs["request"]
    url: str = request.url
    return urlsplit(url).hostname if request.method == _POST else ""


def _requests_request(_: Any, args: Any, kwargs: Any) -> SentRequest:
    request = args[0] if args else kwargs["request"]
    return SentRequest(
        request.url, lambda: _parse(request.body), lambda: request.headers
    )


def _record_requests_response(
    invocation: HttpInvocation, response: Any, session: Any, kwargs: Any
) -> None:
    from ._requests_response import RecordedRequestsResponse
    from ._response_recorder import ResponseRecorder

    invocation.on_http_response(response.headers, response.status_code)
    # A hook may have read the body. There is no public name that says so.
    is_read = getattr(response, "_content_consumed", False)
    if kwargs.get("stream", session.stream) and not is_read:
        invocation.on_body_open()
        ResponseRecorder(response, RecordedRequestsResponse, invocation)
        return
    with suppress(RuntimeError):  # the hook has read it piece by piece
        ResponseBody(response.headers, invocation).record(response.content or b"")
    invocation.end()


def _aiohttp_post_host(session: Any, args: Any, kwargs: Any) -> str | None:
    method: str = args[0] if args else kwargs["method"]
    if method.upper() != _POST:
        return ""
    host: str | None = _aiohttp_url(session, args, kwargs).host
    return host


def _aiohttp_request(session: Any, args: Any, kwargs: Any) -> SentRequest:
    def read_body() -> Mapping[str, Any]:
        body: object = kwargs.get("json")
        if isinstance(body, Mapping):
            return cast("Mapping[str, Any]", body)
        return _parse(kwargs.get("data"))

    # The headers are those of the response's request: `headers` may be an iterator.
    return SentRequest(
        str(_aiohttp_url(session, args, kwargs)), read_body, lambda: EMPTY
    )


def _aiohttp_url(session: Any, args: Any, kwargs: Any) -> Any:
    # `_build_url` is private, but a session has no public name for its base URL. It
    # joins the two; tests/http_clients checks it.
    url: object = args[1] if len(args) > 1 else kwargs["str_or_url"]
    return session._build_url(url)  # noqa: SLF001


def _record_aiohttp_response(
    invocation: HttpInvocation, response: Any, session: Any, kwargs: Any
) -> None:
    from ._aiohttp_response import RecordedContent

    # With parameters and authentication, which the arguments have elsewhere.
    invocation.request_address = str(response.request_info.real_url)
    invocation.request_headers = response.request_info.headers
    invocation.on_http_response(response.headers, response.status)
    # A middleware may have read the body. There is no public name that says so.
    if (body := getattr(response, "_body", None)) is not None:
        ResponseBody(response.headers, invocation).record(body)
        return
    if response.content is None:  # of a response class of the application
        invocation.end()
        return
    invocation.on_body_open()
    is_decoded = kwargs.get("auto_decompress")
    if is_decoded is None:
        is_decoded = session.auto_decompress
    response.content = RecordedContent(response, invocation, is_decoded=is_decoded)


def _parse(body: object) -> Mapping[str, Any]:
    if isinstance(body, bytes | bytearray | str):
        return parse_body(body) or EMPTY
    return EMPTY


HTTPX: Final = HttpLibrary(_httpx_post_host, _httpx_request, _record_httpx_response)
REQUESTS: Final = HttpLibrary(
    _requests_post_host, _requests_request, _record_requests_response
)
AIOHTTP: Final = HttpLibrary(
    _aiohttp_post_host, _aiohttp_request, _record_aiohttp_response
)
