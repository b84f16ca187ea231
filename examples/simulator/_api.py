"""From a request to its response: routes, keys, faults. Knows nothing of sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._completions import chat, fim
from ._errors import (
    JSON,
    ApiError,
    method_not_allowed,
    no_json,
    no_key,
    not_found,
    on_demand,
    plain,
    wrong_key,
)
from ._faults import HEADER, NO_FAULT, Countdown, Fault
from ._http_response import Response
from ._models import BALANCE, MODEL_LIST, MODELS
from ._prompt_cache import PromptCache
from ._recorded_response import Recorded
from ._response_encoding import dumped

if TYPE_CHECKING:
    from ._exchange import Exchange
    from ._http_response import Sending
    from ._overrides import Queue

_BETA_ONLY = (
    "completions api is only available when using beta api (set"
    ' base_url="https://api.deepseek.com/beta")'
)
_BASES = ("/v1/", "/beta/", "/")
# What GET answers, by route; `_WRITE` is what POST answers.
_READ: dict[str, Any] = {
    "models": MODEL_LIST,
    "user/balance": BALANCE,
    **{f"models/{name}": model for name, model in MODELS.items()},
}
_WRITE = frozenset({"chat/completions", "completions"})


class Service:
    def __init__(
        self,
        *,
        api_key: str | None,
        always: Queue,
        following: Queue,
        sending: Sending,
    ) -> None:
        self._api_key = api_key
        self._always = always
        self._following = following
        self._sending = sending
        self._cache = PromptCache()
        self._countdown = Countdown()

    def respond(self, exchange: Exchange) -> Response:
        try:
            return self._respond(exchange)
        except ApiError as error:
            return Response(
                error.status, error.content_type, [error.body], len(error.body)
            )

    def _respond(self, exchange: Exchange) -> Response:
        pending = self._pending(exchange)
        if isinstance(pending, Recorded):  # wherever it was asked for
            return self._sending.recorded(pending, exchange)
        base, route = _route(exchange)
        exchange.fault = fault = pending
        if fault.status:
            self._sending.wait(fault.slow)
            raise on_demand(fault.status, exchange.key)
        self._authorize(exchange)
        if exchange.method == "GET":
            return self._sending.whole(dumped(_READ[route]), exchange, fault)
        if not exchange.headers.get("content-type", "").startswith(JSON):
            raise no_json()
        if route == "completions" and base != "/beta/":
            raise plain(400, _BETA_ONLY)
        answering = fim if route == "completions" else chat
        answer = answering(exchange, self._cache, fault, beta=base == "/beta/")
        if answer.stream:
            return self._sending.stream(answer, exchange, fault)
        return self._sending.answer(answer, exchange, fault)

    def _pending(self, exchange: Exchange) -> Fault | Recorded:
        if asked := exchange.headers.get(HEADER):
            try:
                fault = Fault.parse(asked)
            except ValueError as error:
                raise plain(400, f"{HEADER}: {error}") from None
            request = (asked, exchange.path, exchange.key, hash(exchange.body))
            return fault if self._countdown.applies(fault, request) else NO_FAULT
        return self._following.take() or self._always.take() or NO_FAULT

    def _authorize(self, exchange: Exchange) -> None:
        if not exchange.key:
            raise no_key()
        if self._api_key is not None and exchange.key != self._api_key:
            raise wrong_key(exchange.key)


def _route(exchange: Exchange) -> tuple[str, str]:
    """Base and route of a path, or the ApiError that it is neither."""
    path = exchange.path.partition("?")[0]
    base = next((base for base in _BASES if path.startswith(base)), "/")
    route = path.removeprefix(base).rstrip("/")
    if route not in _READ and route not in _WRITE:
        raise not_found()
    if exchange.method != ("GET" if route in _READ else "POST"):
        raise method_not_allowed()
    return base, route
