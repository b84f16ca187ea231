"""Eleven facts of a trace: does MLflow have them, and as they went over the wire?"""

from __future__ import annotations

import json
import math
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from ._calls import everything, plain
from ._prices import price

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Final

    from mlflow.entities import Trace

    from ._calls import Call, Seen


class Rank(IntEnum):
    MISSING = 0
    IN_PART = 1
    RIGHT = 2


class Cell(NamedTuple):
    """`rank` is None where the program has nothing of the kind."""

    rank: Rank | None
    note: str = ""


def _name(seen: Seen) -> Cell:
    names = [trace.info.tags.get("mlflow.traceName") for trace in seen.traces]
    program = seen.ran.program
    if names == [program.called] * program.traces:
        return Cell(Rank.RIGHT, f"`{program.called}`")
    told = ", ".join(f"`{name}`" for name in dict.fromkeys(names) if name)
    if len(names) != program.traces:
        told = f"{told or 'none'}, on {len(names)} traces instead of {program.traces}"
    return Cell(Rank.IN_PART if any(names) else Rank.MISSING, told)


def _previews(seen: Seen) -> Cell:
    cells = [
        cell
        for trace in seen.traces
        for cell in _previews_of(trace, seen.calls_of(trace))
    ]
    ranks = [rank for rank, _ in cells]
    if not any(ranks):
        return Cell(Rank.MISSING)
    notes = ", ".join(dict.fromkeys(note for _, note in cells if note))
    return Cell(Rank.RIGHT if min(ranks) is Rank.RIGHT else Rank.IN_PART, notes)


def _previews_of(trace: Trace, calls: list[Call]) -> Iterator[tuple[Rank, str]]:
    info = trace.info
    sides = {
        "request": (info.request_preview, calls[0].question if calls else ""),
        "response": (info.response_preview, calls[-1].answer.text if calls else ""),
    }
    if calls and calls[-1].exchange.status != 200:
        del sides["response"]
    for side, (preview, expected) in sides.items():
        if preview and expected and preview.startswith(expected):
            yield Rank.RIGHT, ""
        elif preview:
            yield Rank.IN_PART, f"{side} as JSON"
        else:
            yield Rank.MISSING, f"no {side}"


def _type(seen: Seen) -> Cell:
    expected = seen.ran.program.type
    roots = [s for t in seen.traces for s in t.data.spans if s.parent_id is None]
    untyped = [s for s in roots if s.span_type in {None, "UNKNOWN"}]
    if any(call.span.span_type != expected for call in seen.calls):
        return Cell(Rank.MISSING, "not on the calls")
    notes = []
    if seen.found_by_type < len({call.span.trace_id for call in seen.calls}):
        notes.append(f"not found by `span.type = '{expected}'`")
    if untyped:
        notes.append("not on the root")
    return Cell(Rank.IN_PART if notes else Rank.RIGHT, ", ".join(notes))


def _chat_view(seen: Seen) -> Cell:
    sides = [side for call in seen.calls for side in _sides(call)]
    raw = [side for side, is_chat in sides if not is_chat]
    if not raw:
        return Cell(Rank.RIGHT)
    told = ", ".join(f"{side} raw" for side in dict.fromkeys(raw))
    return Cell(Rank.IN_PART if len(raw) < len(sides) else Rank.MISSING, told)


def _sides(call: Call) -> Iterator[tuple[str, bool]]:
    shown = call.shown
    asked, answered = plain(call.question), plain(call.answer.text)
    yield "request", shown.asked_as_chat and asked in plain(shown.inputs)
    if call.exchange.status == 200:
        yield "response", shown.answered_as_chat and answered in plain(shown.outputs)


def _reasoning(seen: Seen) -> Cell:
    calls = [call for call in seen.calls if call.answer.reasoning]
    if not calls:
        return Cell(None)
    shown = sum(
        call.shown.answered_as_chat
        and plain(call.answer.reasoning) in plain(call.shown.outputs)
        for call in calls
    )
    if shown == len(calls):
        return Cell(Rank.RIGHT)
    recorded = sum(
        plain(call.answer.reasoning) in plain(everything(call.span)) for call in calls
    )
    if shown or recorded:
        return Cell(Rank.IN_PART, "stored, not in the chat")
    return Cell(Rank.MISSING)


def _tools(seen: Seen) -> Cell:
    calls = [call for call in seen.calls if "tools" in call.exchange.request_json]
    if not calls:
        return Cell(None)
    are_defined = all(
        call.shown.tools == len(call.exchange.request_json["tools"]) for call in calls
    )
    are_shown = all(
        call.shown.answered_as_chat and _holds_calls(call, call.shown.outputs)
        for call in calls
        if call.answer.tools
    )
    if are_defined and are_shown:
        return Cell(Rank.RIGHT)
    are_stored = all(
        _holds_calls(call, json.dumps(call.span.outputs)) for call in calls
    )
    lacking = [] if are_defined else ["definitions not shown"]
    if not are_shown:
        lacking.append("calls not in the chat" if are_stored else "calls lost")
    rank = Rank.IN_PART if are_defined or are_stored else Rank.MISSING
    return Cell(rank, ", ".join(lacking))


def _holds_calls(call: Call, text: str) -> bool:
    return all(
        name in text and all(value in text for value in json.loads(arguments).values())
        for name, arguments in call.answer.tools
    )


def _tokens(seen: Seen) -> Cell:
    billed = {
        "input_tokens": _billed(seen, "prompt_tokens"),
        "output_tokens": _billed(seen, "completion_tokens"),
        "total_tokens": _billed(seen, "total_tokens"),
    }
    return _counted(seen, billed)


def _cache(seen: Seen) -> Cell:
    hits = _billed(seen, "prompt_cache_hit_tokens")
    return _counted(seen, {"cache_read_input_tokens": hits})


def _counted(seen: Seen, billed: dict[str, int | None]) -> Cell:
    if None in billed.values():
        return Cell(None)
    said = [trace.info.token_usage or {} for trace in seen.traces]
    counted = {
        name: sum(usage[name] for usage in said if name in usage)
        for name in billed
        if any(name in usage for usage in said)
    }
    if not counted:
        return Cell(Rank.MISSING)
    return Cell(
        *((Rank.RIGHT, "") if counted == billed else (Rank.IN_PART, "other numbers"))
    )


def _billed(seen: Seen, name: str) -> int | None:
    usages = [exchange.usage for exchange in seen.ran.exchanges if exchange.usage]
    return sum(usage[name] for usage in usages) if usages else None


def _cost(seen: Seen) -> Cell:
    if _billed(seen, "total_tokens") is None:
        return Cell(None)
    right = sum(price(call.exchange, call.span.start_time_ns) for call in seen.calls)
    costs = [trace.info.cost for trace in seen.traces if trace.info.cost]
    if not costs:
        return Cell(Rank.MISSING)
    said = sum(cost["total_cost"] for cost in costs)
    if math.isclose(said, right, rel_tol=1e-9):
        return Cell(Rank.RIGHT)
    return Cell(Rank.IN_PART, f"{said / right:.1f} times the price")


def _session(seen: Seen) -> Cell:
    expected = seen.ran.program.session
    if expected is None:
        return Cell(None)
    found = {
        trace.info.trace_metadata.get("mlflow.trace.session") for trace in seen.traces
    }
    if found == {expected}:
        return Cell(Rank.RIGHT)
    return Cell(Rank.IN_PART if expected in found else Rank.MISSING)


def _status(seen: Seen) -> Cell:
    fails = seen.ran.program.fails
    states = {str(trace.info.state.value) for trace in seen.traces}
    if states != {"ERROR" if fails else "OK"}:
        return Cell(Rank.MISSING, ", ".join(sorted(states)))
    if fails and not all(fails in call.shown.events for call in seen.calls):
        return Cell(Rank.IN_PART, "the reason is not on the page")
    return Cell(Rank.RIGHT)


FACTS: Final[dict[str, Callable[[Seen], Cell]]] = {
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


def judged(seen: Seen) -> dict[str, Cell]:
    return {fact: judge(seen) for fact, judge in FACTS.items()}
