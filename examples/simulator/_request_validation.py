"""The checks after parsing, in DeepSeek's order.

The first rule that a request violates decides the error response.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from . import _message_validation, _tool_validation
from ._errors import ApiError, validation_error
from ._json import is_array
from ._models import MAX_OUTPUT_TOKENS, SERVING_MODELS

Body: TypeAlias = Mapping[str, Any]
# The message of a 400, or another error.
Violations: TypeAlias = Iterator[str | ApiError]
Rule: TypeAlias = Callable[[Body], Violations]
_MAX_STOP_STRINGS = 16
_MAX_USER_ID_LENGTH = 512


def validate_chat_request(body: Body, *, beta: bool) -> None:
    """Raises the ApiError of the first rule that `body` violates."""
    _validate(body, _CHAT_RULES if beta else _CHAT_RULES + _NON_BETA_RULES)


def validate_fim_request(body: Body) -> None:
    """Raises the ApiError of the first rule that `body` violates."""
    _validate(body, _FIM_RULES)


def _validate(body: Body, rules: tuple[Rule, ...]) -> None:
    for rule in rules:
        for violation in rule(body):
            if isinstance(violation, ApiError):
                raise violation
            raise validation_error(violation)


def _model(body: Body) -> Violations:
    if body["model"] not in SERVING_MODELS:
        yield (
            "The supported API model names are deepseek-v4-pro or deepseek-v4-flash,"
            f" but you passed {body['model']}."
        )


def _effort_without_thinking(body: Body) -> Violations:
    disabled = body.get("thinking") == {"type": "disabled"}
    if disabled and body.get("reasoning_effort") not in (None, "none"):
        yield "thinking options type cannot be disabled when reasoning_effort is set"


def _stop(body: Body) -> Violations:
    stop = body.get("stop")
    empty = "empty string. Expected a string with minimum length 1, but got an empty"
    if stop == "":
        yield f"Invalid 'stop': {empty} string instead."
    if is_array(stop):
        if len(stop) > _MAX_STOP_STRINGS:
            yield f"Stop string array too long: {len(stop)}"
        if "" in stop:
            yield f"Invalid 'stop[{stop.index('')}]': {empty} string instead."


def _stream_options(body: Body) -> Violations:
    if body.get("stream_options") is not None and not body.get("stream"):
        yield "stream_options should be set along with stream = true"


def _n(body: Body) -> Violations:
    if body.get("n") not in (None, 1):
        yield "Invalid n value (currently only n = 1 is supported)"


def _within_range(name: str, low: float, high: float, range_text: str) -> Rule:
    def rule(body: Body) -> Violations:
        value = body.get(name)
        if value is not None and not low <= value <= high:
            yield f"Invalid {name} value, the valid range of {name} is {range_text}"

    return rule


def _top_logprobs(body: Body) -> Violations:
    if body.get("top_logprobs") is not None and not body.get("logprobs"):
        yield (
            "Invalid top_logprobs and logprobs value, logprobs must be set to true if"
            " top_logprobs is used."
        )


def _user_id(body: Body) -> Violations:
    user_id = body.get("user_id")
    if isinstance(user_id, str) and len(user_id) > _MAX_USER_ID_LENGTH:
        yield (
            "Invalid 'user_id': string too long. Expected a string with maximum length"
            f" {_MAX_USER_ID_LENGTH}, but got a string with length {len(user_id)}"
            " instead"
        )


def _safety_check(body: Body) -> Violations:
    # DeepSeek documents the 400 but not its message.
    check = body.get("safety_check")
    if check is not None and check not in ({"level": "high"}, {"level": "low"}):
        yield "Invalid safety_check value, the valid levels are high and low"


def _prefix_outside_beta(body: Body) -> Violations:
    if _message_validation.is_prefix(body["messages"][-1]):
        yield _message_validation.MISPLACED_PREFIX


def _echo(body: Body) -> Violations:
    if body.get("echo") and (body.get("suffix") or body.get("logprobs") is not None):
        yield "Invalid echo value, echo cannot be used with suffix or logprobs"


_SMALLEST_POSITIVE = 5e-324  # the smallest float greater than 0
_SAMPLING_RULES = (
    _within_range("temperature", 0, 2, "[0, 2]"),
    _within_range("top_p", _SMALLEST_POSITIVE, 1, "(0, 1.0]"),
)
_PENALTY_RULES = (
    _within_range("presence_penalty", -2, 2, "[-2, 2]"),
    _within_range("frequency_penalty", -2, 2, "[-2, 2]"),
)
_CHAT_RULES: tuple[Rule, ...] = (
    _model,
    _effort_without_thinking,
    _message_validation.images,
    _tool_validation.tool_names,
    _message_validation.messages,
    _message_validation.reasoning_content,
    _message_validation.response_format,
    _tool_validation.tools,
    _tool_validation.tool_choice,
    _stop,
    _stream_options,
    _tool_validation.strict,
    _n,
    *_PENALTY_RULES,
    *_SAMPLING_RULES,
    _top_logprobs,
    _within_range("top_logprobs", 0, 20, "[0, 20]."),
    _within_range("max_tokens", 1, MAX_OUTPUT_TOKENS, f"[1, {MAX_OUTPUT_TOKENS}]"),
    _within_range("seed", 0, 2**63 - 1, "[0, 2^63)"),
    _user_id,
    _safety_check,
)
_NON_BETA_RULES: tuple[Rule, ...] = (
    _prefix_outside_beta,
    _tool_validation.strict_outside_beta,
)
_FIM_RULES: tuple[Rule, ...] = (
    _model,
    _echo,
    _stop,
    _stream_options,
    *_PENALTY_RULES,
    *_SAMPLING_RULES,
    _within_range("logprobs", 0, 20, "[0, 20]"),
    _within_range("max_tokens", 1, 4096, "[1, 4096]"),
)
