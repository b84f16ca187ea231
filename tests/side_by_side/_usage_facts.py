"""Facts about tokens, cost, models and times."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from tests.comparison._prices import price

from ._cell import in_part, no, of_all, yes
from .worker.calls import ALIAS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._cell import Cell, Runs
    from ._record import Call

# The names of a value in the conventions of the instrumentations and in DeepSeek's API.
_INPUT_TOKENS: Final = (
    "gen_ai.usage.input_tokens",
    "llm.token_count.prompt",
    "input_tokens",
    "prompt_tokens",
)
_OUTPUT_TOKENS: Final = (
    "gen_ai.usage.output_tokens",
    "llm.token_count.completion",
    "output_tokens",
    "completion_tokens",
)
_CACHE_HIT_TOKENS: Final = (
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "llm.token_count.prompt_details.cache_read",
    "cache_read_input_tokens",
    "cached_tokens",
    "prompt_cache_hit_tokens",
)
_REASONING_TOKENS: Final = (
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.usage.reasoning_tokens",
    "llm.token_count.completion_details.reasoning",
    "reasoning_tokens",
)
_COSTS: Final = (
    "gen_ai.usage.cost",
    "llm.cost.total",
    "operation.cost",
    "total_cost",
    "total",
)
_PROVIDERS: Final = ("gen_ai.provider.name", "llm.provider", "mlflow.llm.provider")
_MODELS: Final = (
    "gen_ai.request.model",
    "gen_ai.response.model",
    "langfuse.observation.model.name",
    "llm.model_name",
    "llm.request.model",
    "llm.response.model",
    "mlflow.llm.model",
    "model",
)
_FINISH_REASONS: Final = (
    "finish_reason",
    "finish_reasons",
    "gen_ai.response.finish_reasons",
    "langfuse.observation.metadata.finish_reason",
    "llm.finish_reason",
)
_TIMES_TO_FIRST_CHUNK: Final = (
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.server.time_to_first_token",
    "langfuse.observation.completion_start_time",
)
_IN_BODY: Final = in_part("only in the body of the response")
# Seconds between the first chunk in the SDK and in the program.
_TIME_TOLERANCE: Final = 0.05


def _recorded(call: Call, names: Sequence[str], *expected: Any) -> Cell:
    """Whether a value is one of those expected, in an attribute or in the body."""
    if any(value in expected for value in call.values(*names)):
        return yes()
    if any(value in expected for value in call.body_values(*names)):
        return _IN_BODY
    return no()


def tokens_of_calls(runs: Runs) -> Cell:
    return _tokens(runs.content["chat"])


def tokens_of_streams(runs: Runs) -> Cell:
    return of_all(
        (title, _tokens(runs.content[name]))
        for name, title in (
            ("stream", "a stream"),
            ("stream_tools", "a stream with tools"),
            ("async_stream", "an asynchronous stream"),
        )
    )


def _tokens(call: Call) -> Cell:
    usage = call.usage
    return of_all(
        [
            ("input tokens", _recorded(call, _INPUT_TOKENS, usage["prompt_tokens"])),
            (
                "output tokens",
                _recorded(call, _OUTPUT_TOKENS, usage["completion_tokens"]),
            ),
        ]
    )


def cache_hit_tokens(runs: Runs) -> Cell:
    results: list[tuple[str, Cell]] = []
    for name, title in (
        ("chat", "a call without a hit"),
        ("stream", "a stream with a hit"),
    ):
        call = runs.content[name]
        hits = call.usage["prompt_cache_hit_tokens"]
        if bool(hits) != (name == "stream"):
            raise ValueError(f"{name} has {hits} cache hits")
        results.append((title, _recorded(call, _CACHE_HIT_TOKENS, hits)))
    return of_all(results)


def reasoning_tokens(runs: Runs) -> Cell:
    results: list[tuple[str, Cell]] = []
    for name, title in (("chat", "a call"), ("stream", "a stream")):
        call = runs.content[name]
        count = call.usage["completion_tokens_details"]["reasoning_tokens"]
        results.append((title, _recorded(call, _REASONING_TOKENS, count)))
    return of_all(results)


def cost(runs: Runs) -> Cell:
    return of_all(
        (title, _cost(runs.content[name]))
        for name, title in (
            ("chat", "a call"),
            ("stream", "a stream"),
            ("tools", "a call with tools"),
            ("alias", "another name of the model"),
        )
    )


def _cost(call: Call) -> Cell:
    costs = [value for value in call.values(*_COSTS) if isinstance(value, int | float)]
    expected = price(call.exchange, call.start_ns)
    if any(math.isclose(value, expected, rel_tol=1e-6) for value in costs):
        return yes()
    if not any(costs):
        return no("records a cost of 0" if costs else "")
    return no(f"{max(costs) / expected:.1f} times the price")


def provider(runs: Runs) -> Cell:
    # Logfire also records a schema with the names of its attributes.
    values = dict.fromkeys(
        value
        for value in runs.content["chat"].values(*_PROVIDERS)
        if isinstance(value, str)
    )
    if "deepseek" in values:
        return yes()
    return no(", ".join(f"`{value}`" for value in values) or "no provider")


def models(runs: Runs) -> Cell:
    """The model of the request, and that of the response, are different names."""
    call = runs.content["alias"]
    response_model = call.exchange_json["model"]
    if call.exchange.request_json["model"] != ALIAS or response_model == ALIAS:
        raise ValueError("the simulator has not answered with another model")
    return of_all(
        [
            ("the request", _recorded(call, _MODELS, ALIAS)),
            ("the response", _recorded(call, _MODELS, response_model)),
        ]
    )


def finish_reasons(runs: Runs) -> Cell:
    return of_all(
        (title, _recorded(runs.content[name], _FINISH_REASONS, *expected))
        for name, title, expected in (
            ("chat", "a call", ["stop"]),
            ("stream", "a stream", ["stop"]),
            # The conventions have the first on spans and the second on messages.
            ("tools", "a call with tools", ["tool_calls", "tool_call"]),
            ("stream_tools", "a stream with tools", ["tool_calls", "tool_call"]),
        )
    )


def time_to_first_chunk(runs: Runs) -> Cell:
    call = runs.content["stream"]
    limit = (call.first_chunk_ns - call.start_ns) / 1e9 + _TIME_TOLERANCE
    values = call.values(*_TIMES_TO_FIRST_CHUNK)
    if any(0 < _seconds(value, call) <= limit for value in values):
        return yes()
    event_times = [
        (event["time_ns"] - call.start_ns) / 1e9
        for span in call.spans
        for event in span.events
    ]
    if any(0 < seconds <= limit for seconds in event_times):
        return in_part("as the time of an event")
    names = [name for name in runs.content.metric_names if "time_to_first" in name]
    return in_part("as a metric") if names and call.spans else no()


def _seconds(value: Any, call: Call) -> float:
    """Converts a duration, or a time of day, to seconds since the start of the call."""
    if isinstance(value, int | float):
        return value
    moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    return moment.timestamp() - call.start_ns / 1e9


def server(runs: Runs) -> Cell:
    call = runs.content["chat"]
    host, port = call.exchange.request_headers["host"].split(":")
    address = _recorded(call, ["server.address"], host)
    if address == no() and call.has_text(f"//{host}:{port}"):
        return in_part("as a part of a URL")
    return of_all(
        [
            ("the address", address),
            ("the port", _recorded(call, ["server.port"], int(port))),
        ]
    )
