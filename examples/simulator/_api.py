"""The API, independent of sockets: routes, authentication, faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._completions import (
    create_chat_completion,
    create_fim_completion,
    create_message,
)
from ._errors import (
    JSON,
    ApiError,
    fault_error,
    invalid_key,
    method_not_allowed,
    missing_key,
    not_found,
    text_error,
    unsupported_media_type,
)
from ._faults import FAULT_HEADER, NO_FAULT, Fault, HeaderFaultCounter
from ._http_response import HttpResponse
from ._models import BALANCE, MODEL_LIST, MODELS
from ._prompt_cache import PromptCache
from ._recorded_response import RecordedResponse
from ._response_encoding import encode_json

if TYPE_CHECKING:
    from ._exchange import Exchange
    from ._http_response import ResponseFactory
    from ._overrides import Override, OverrideQueue

_FIM_OUTSIDE_BETA = (
    "completions api is only available when using beta api (set"
    ' base_url="https://api.deepseek.com/beta")'
)
_BASE_PATHS = ("/v1/", "/beta/", "/")
# The routes of GET, with their bodies, and the routes of POST.
_GET_BODIES: dict[str, Any] = {
    "models": MODEL_LIST,
    "user/balance": BALANCE,
    **{f"models/{name}": model for name, model in MODELS.items()},
}
_MESSAGES_ROUTE = "anthropic/v1/messages"
_POST_ROUTES = frozenset({"chat/completions", "completions", _MESSAGES_ROUTE})


class DeepSeekApi:
    """Creates the response to each request.

    `next_overrides` take precedence over `default_overrides`.
    """

    def __init__(
        self,
        *,
        api_key: str | None,
        default_overrides: OverrideQueue,
        next_overrides: OverrideQueue,
        responses: ResponseFactory,
    ) -> None:
        self._api_key = api_key
        self._default_overrides = default_overrides
        self._next_overrides = next_overrides
        self._responses = responses
        self._cache = PromptCache()
        self._fault_counter = HeaderFaultCounter()

    def respond(self, exchange: Exchange) -> HttpResponse:
        try:
            return self._respond(exchange)
        except ApiError as error:
            return HttpResponse(
                error.status, error.content_type, [error.body], len(error.body)
            )

    def _respond(self, exchange: Exchange) -> HttpResponse:
        override = self._override(exchange)
        if isinstance(override, RecordedResponse):  # for any route, even an unknown one
            return self._responses.recorded_response(override, exchange)
        base_path, route = _base_path_and_route(exchange)
        exchange.fault = fault = override
        if fault.status:
            self._responses.wait(fault.delay)
            raise fault_error(fault.status, exchange.api_key)
        self._authenticate(exchange)
        if exchange.method == "GET":
            body = encode_json(_GET_BODIES[route])
            return self._responses.json_response(body, exchange, fault)
        content_type = exchange.request_headers.get("content-type", "")
        if not content_type.startswith(JSON):
            raise unsupported_media_type()
        beta = base_path == "/beta/"
        if route == _MESSAGES_ROUTE:
            completion = create_message(exchange, self._cache, fault)
        elif route == "completions":
            if not beta:
                raise text_error(400, _FIM_OUTSIDE_BETA)
            completion = create_fim_completion(exchange, self._cache, fault)
        else:
            completion = create_chat_completion(exchange, self._cache, fault, beta=beta)
        if completion.stream:
            return self._responses.stream_response(completion, exchange, fault)
        return self._responses.completion_response(completion, exchange, fault)

    def _override(self, exchange: Exchange) -> Override:
        """Returns the recorded response or the fault for the request, or NO_FAULT."""
        if header := exchange.request_headers.get(FAULT_HEADER):
            try:
                fault = Fault.parse(header)
            except ValueError as error:
                raise text_error(400, f"{FAULT_HEADER}: {error}") from None
            body_hash = hash(exchange.request_body)
            request = (header, exchange.path, exchange.api_key, body_hash)
            return fault if self._fault_counter.use(fault, request) else NO_FAULT
        return self._next_overrides.take() or self._default_overrides.take() or NO_FAULT

    def _authenticate(self, exchange: Exchange) -> None:
        if not exchange.api_key:
            raise missing_key()
        if self._api_key is not None and exchange.api_key != self._api_key:
            raise invalid_key(exchange.api_key)


def _base_path_and_route(exchange: Exchange) -> tuple[str, str]:
    """Splits the path of a request.

    Raises ApiError if the route is unknown or does not support the method.
    """
    path = exchange.path.partition("?")[0]
    base_path = next((base for base in _BASE_PATHS if path.startswith(base)), "/")
    route = path.removeprefix(base_path).rstrip("/")
    if route not in _GET_BODIES and route not in _POST_ROUTES:
        raise not_found()
    if exchange.method != ("GET" if route in _GET_BODIES else "POST"):
        raise method_not_allowed()
    return base_path, route
