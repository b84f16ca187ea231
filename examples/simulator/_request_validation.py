"""The checks after parsing, in DeepSeek's order: the first that fails is the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from . import _message_validation as of_messages
from . import _tool_validation as of_tools
from ._errors import ApiError, invalid
from ._json import is_array
from ._models import MAX_OUTPUT, SERVED_BY

Body: TypeAlias = Mapping[str, Any]
Complaints: TypeAlias = Iterator[str | ApiError]
Rule: TypeAlias = Callable[[Body], Complaints]
_MAX_STOPS = 16
_MAX_USER_ID = 512


def check_chat(body: Body, *, beta: bool) -> None:
    """Raise the ApiError of the first rule that `body` breaks."""
    _check(body, _CHAT if beta else _CHAT + _OUTSIDE_BETA)


def check_fim(body: Body) -> None:
    """The same for FIM."""
    _check(body, _FIM)


def _check(body: Body, rules: tuple[Rule, ...]) -> None:
    for rule in rules:
        for complaint in rule(body):
            raise complaint if isinstance(complaint, ApiError) else invalid(complaint)


def _model(body: Body) -> Complaints:
    if body["model"] not in SERVED_BY:
        yield (
            "The supported API model names are deepseek-v4-pro or deepseek-v4-flash,"
            f" but you passed {body['model']}."
        )


def _effort_without_thinking(body: Body) -> Complaints:
    disabled = body.get("thinking") == {"type": "disabled"}
    if disabled and body.get("reasoning_effort") not in (None, "none"):
        yield "thinking options type cannot be disabled when reasoning_effort is set"


def _stop(body: Body) -> Complaints:
    stop = body.get("stop")
    empty = "empty string. Expected a string with minimum length 1, but got an empty"
    if stop == "":
        yield f"Invalid 'stop': {empty} string instead."
    if is_array(stop):
        if len(stop) > _MAX_STOPS:
            yield f"Stop string array too long: {len(stop)}"
        if "" in stop:
            yield f"Invalid 'stop[{stop.index('')}]': {empty} string instead."


def _stream_options(body: Body) -> Complaints:
    if body.get("stream_options") is not None and not body.get("stream"):
        yield "stream_options should be set along with stream = true"


def _n(body: Body) -> Complaints:
    if body.get("n") not in (None, 1):
        yield "Invalid n value (currently only n = 1 is supported)"


def _within(name: str, low: float, high: float, words: str) -> Rule:
    def rule(body: Body) -> Complaints:
        value = body.get(name)
        if value is not None and not low <= value <= high:
            yield f"Invalid {name} value, the valid range of {name} is {words}"

    return rule


def _top_logprobs(body: Body) -> Complaints:
    if body.get("top_logprobs") is not None and not body.get("logprobs"):
        yield (
            "Invalid top_logprobs and logprobs value, logprobs must be set to true if"
            " top_logprobs is used."
        )


def _user_id(body: Body) -> Complaints:
    user_id = body.get("user_id")
    if isinstance(user_id, str) and len(user_id) > _MAX_USER_ID:
        yield (
            "Invalid 'user_id': string too long. Expected a string with maximum length"
            f" {_MAX_USER_ID}, but got a string with length {len(user_id)} instead"
        )


def _safety_check(body: Body) -> Complaints:
    # The 400 is documented, its words are not.
    check = body.get("safety_check")
    if check is not None and check not in ({"level": "high"}, {"level": "low"}):
        yield "Invalid safety_check value, the valid levels are high and low"


def _prefix_outside_beta(body: Body) -> Complaints:
    if of_messages.is_prefix(body["messages"][-1]):
        yield of_messages.MISPLACED_PREFIX


def _echo(body: Body) -> Complaints:
    if body.get("echo") and (body.get("suffix") or body.get("logprobs") is not None):
        yield "Invalid echo value, echo cannot be used with suffix or logprobs"


_ABOVE_ZERO = 5e-324  # the smallest float there is
_SAMPLING = (
    _within("temperature", 0, 2, "[0, 2]"),
    _within("top_p", _ABOVE_ZERO, 1, "(0, 1.0]"),
)
_PENALTIES = (
    _within("presence_penalty", -2, 2, "[-2, 2]"),
    _within("frequency_penalty", -2, 2, "[-2, 2]"),
)
_CHAT: tuple[Rule, ...] = (
    _model,
    _effort_without_thinking,
    of_messages.images,
    of_tools.tool_names,
    of_messages.messages,
    of_messages.reasoning_passed_back,
    of_messages.response_format,
    of_tools.tools,
    of_tools.tool_choice,
    _stop,
    _stream_options,
    of_tools.strict,
    _n,
    *_PENALTIES,
    *_SAMPLING,
    _top_logprobs,
    _within("top_logprobs", 0, 20, "[0, 20]."),
    _within("max_tokens", 1, MAX_OUTPUT, f"[1, {MAX_OUTPUT}]"),
    _within("seed", 0, 2**63 - 1, "[0, 2^63)"),
    _user_id,
    _safety_check,
)
_OUTSIDE_BETA: tuple[Rule, ...] = (_prefix_outside_beta, of_tools.strict_outside_beta)
_FIM: tuple[Rule, ...] = (
    _model,
    _echo,
    _stop,
    _stream_options,
    *_PENALTIES,
    *_SAMPLING,
    _within("logprobs", 0, 20, "[0, 20]"),
    _within("max_tokens", 1, 4096, "[1, 4096]"),
)
