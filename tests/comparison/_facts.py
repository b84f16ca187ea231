"""Eleven facts of a trace, each checked in MLflow against the HTTP traffic."""

from __future__ import annotations

import json
import math
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from ._prices import price
from ._run_result import (
    span_content,
    trace_cost,
    trace_previews,
    trace_usage,
    without_markup,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Final

    from mlflow.entities import Trace

    from ._run_result import ModelCall, RunResult


class Rank(IntEnum):
    MISSING = 0
    PARTIAL = 1
    CORRECT = 2


class Cell(NamedTuple):
    """The rank of one fact; None if the fact does not apply to the program."""

    rank: Rank | None
    note: str = ""


def _name(result: RunResult) -> Cell:
    names = [trace.info.tags.get("mlflow.traceName") for trace in result.traces]
    program = result.run.program
    if names == [program.trace_name] * program.trace_count:
        return Cell(Rank.CORRECT, f"`{program.trace_name}`")
    note = ", ".join(f"`{name}`" for name in dict.fromkeys(names) if name)
    if len(names) != program.trace_count:
        note = (
            f"{note or 'none'}, on {len(names)} traces instead of {program.trace_count}"
        )
    return Cell(Rank.PARTIAL if any(names) else Rank.MISSING, note)


def _previews(result: RunResult) -> Cell:
    cells = [
        cell
        for trace in result.traces
        for cell in _check_previews(trace, result.calls_of(trace))
    ]
    ranks = [rank for rank, _ in cells]
    if not any(ranks):
        return Cell(Rank.MISSING)
    notes = ", ".join(dict.fromkeys(note for _, note in cells if note))
    return Cell(Rank.CORRECT if min(ranks) is Rank.CORRECT else Rank.PARTIAL, notes)


def _check_previews(trace: Trace, calls: list[ModelCall]) -> Iterator[tuple[Rank, str]]:
    request_preview, response_preview = trace_previews(trace)
    sides = {
        "request": (request_preview, calls[0].question if calls else ""),
        "response": (response_preview, calls[-1].response.text if calls else ""),
    }
    if calls and calls[-1].exchange.status != 200:
        del sides["response"]
    for side, (preview, expected) in sides.items():
        if preview and expected and preview.startswith(expected):
            yield Rank.CORRECT, ""
        elif preview:
            yield Rank.PARTIAL, f"{side} as JSON"
        else:
            yield Rank.MISSING, f"no {side}"


def _type(result: RunResult) -> Cell:
    expected = result.run.program.span_type
    roots = [s for t in result.traces for s in t.data.spans if s.parent_id is None]
    untyped = [s for s in roots if s.span_type in {None, "UNKNOWN"}]
    if any(call.span.span_type != expected for call in result.calls):
        return Cell(Rank.MISSING, "not on the calls")
    notes = []
    found, traces = result.found_by_type, {call.span.trace_id for call in result.calls}
    if found is not None and found < len(traces):
        notes.append(f"not found by `span.type = '{expected}'`")
    if untyped:
        notes.append("not on the root")
    return Cell(Rank.PARTIAL if notes else Rank.CORRECT, ", ".join(notes))


def _chat_view(result: RunResult) -> Cell:
    sides = [side for call in result.calls for side in _check_chat_view(call)]
    raw = [side for side, is_chat in sides if not is_chat]
    if not raw:
        return Cell(Rank.CORRECT)
    note = ", ".join(f"{side} raw" for side in dict.fromkeys(raw))
    return Cell(Rank.PARTIAL if len(raw) < len(sides) else Rank.MISSING, note)


def _check_chat_view(call: ModelCall) -> Iterator[tuple[str, bool]]:
    panel = call.panel
    question = without_markup(call.question)
    answer = without_markup(call.response.text)
    yield "request", panel.has_chat_inputs and question in without_markup(panel.inputs)
    if call.exchange.status == 200:
        outputs = without_markup(panel.outputs)
        yield "response", panel.has_chat_outputs and answer in outputs


def _reasoning(result: RunResult) -> Cell:
    calls = [call for call in result.calls if call.response.reasoning]
    if not calls:
        return Cell(None)
    shown = sum(
        call.panel.has_chat_outputs
        and without_markup(call.response.reasoning)
        in without_markup(call.panel.outputs)
        for call in calls
    )
    if shown == len(calls):
        return Cell(Rank.CORRECT)
    recorded = sum(
        without_markup(call.response.reasoning)
        in without_markup(span_content(call.span))
        for call in calls
    )
    if shown or recorded:
        return Cell(Rank.PARTIAL, "stored, not in the chat")
    return Cell(Rank.MISSING)


def _tools(result: RunResult) -> Cell:
    calls = [call for call in result.calls if "tools" in call.exchange.request_json]
    if not calls:
        return Cell(None)
    are_defined = all(
        call.panel.tool_count == len(call.exchange.request_json["tools"])
        for call in calls
    )
    are_shown = all(
        call.panel.has_chat_outputs and _has_tool_calls(call, call.panel.outputs)
        for call in calls
        if call.response.tool_calls
    )
    if are_defined and are_shown:
        return Cell(Rank.CORRECT)
    are_stored = all(
        _has_tool_calls(call, json.dumps(call.span.outputs)) for call in calls
    )
    problems = [] if are_defined else ["definitions not shown"]
    if not are_shown:
        problems.append("calls not in the chat" if are_stored else "calls missing")
    rank = Rank.PARTIAL if are_defined or are_stored else Rank.MISSING
    return Cell(rank, ", ".join(problems))


def _has_tool_calls(call: ModelCall, text: str) -> bool:
    return all(
        name in text and all(value in text for value in json.loads(arguments).values())
        for name, arguments in call.response.tool_calls
    )


def _tokens(result: RunResult) -> Cell:
    billed = {
        "input_tokens": _billed_tokens(result, "prompt_tokens"),
        "output_tokens": _billed_tokens(result, "completion_tokens"),
        "total_tokens": _billed_tokens(result, "total_tokens"),
    }
    return _compare_usage(result, billed)


def _cache(result: RunResult) -> Cell:
    hits = _billed_tokens(result, "prompt_cache_hit_tokens")
    return _compare_usage(result, {"cache_read_input_tokens": hits})


def _compare_usage(result: RunResult, billed: dict[str, int | None]) -> Cell:
    if None in billed.values():
        return Cell(None)
    usages = [trace_usage(trace) for trace in result.traces]
    recorded = {
        name: sum(usage[name] for usage in usages if name in usage)
        for name in billed
        if any(name in usage for usage in usages)
    }
    if not recorded:
        return Cell(Rank.MISSING)
    if recorded == billed:
        return Cell(Rank.CORRECT)
    return Cell(Rank.PARTIAL, "wrong numbers")


def _billed_tokens(result: RunResult, name: str) -> int | None:
    usages = [exchange.usage for exchange in result.run.exchanges if exchange.usage]
    return sum(usage[name] for usage in usages) if usages else None


def _cost(result: RunResult) -> Cell:
    if _billed_tokens(result, "total_tokens") is None:
        return Cell(None)
    expected = sum(
        price(call.exchange, call.span.start_time_ns) for call in result.calls
    )
    costs = [cost for trace in result.traces if (cost := trace_cost(trace))]
    if not costs:
        return Cell(Rank.MISSING)
    recorded = sum(cost["total_cost"] for cost in costs)
    if math.isclose(recorded, expected, rel_tol=1e-9):
        return Cell(Rank.CORRECT)
    return Cell(Rank.PARTIAL, f"{recorded / expected:.1f} times the price")


def _session(result: RunResult) -> Cell:
    expected = result.run.program.session_id
    if expected is None:
        return Cell(None)
    sessions = {
        trace.info.trace_metadata.get("mlflow.trace.session") for trace in result.traces
    }
    if sessions == {expected}:
        return Cell(Rank.CORRECT)
    return Cell(Rank.PARTIAL if expected in sessions else Rank.MISSING)


def _status(result: RunResult) -> Cell:
    error_message = result.run.program.error_message
    states = {str(trace.info.state.value) for trace in result.traces}
    if states != {"ERROR" if error_message else "OK"}:
        return Cell(Rank.MISSING, ", ".join(sorted(states)))
    if error_message and not all(
        error_message in call.panel.events for call in result.calls
    ):
        return Cell(Rank.PARTIAL, "the reason is not on the page")
    return Cell(Rank.CORRECT)


FACTS: Final[dict[str, Callable[[RunResult], Cell]]] = {
    "name": _name,
    "previews": _previews,
    "type": _type,
    "chat view": _chat_view,
    "reasoning": _reasoning,
    "tools": _tools,
    "tokens": _tokens,
    "cache": _cache,
    "cost": _cost,
    "session": _session,
    "status": _status,
}


def check_facts(result: RunResult) -> dict[str, Cell]:
    return {fact: check(result) for fact, check in FACTS.items()}
