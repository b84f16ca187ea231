"""Facts about errors and retries, about metrics, and about effects on the program."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ._cell import no, of_all, yes

if TYPE_CHECKING:
    from ._cell import Cell, Runs
    from ._record import Record

_STATUS_CODES: Final = (
    "error.code",
    "http.response.status_code",
    "http.status_code",
    "status_code",
)
# Headers that are not the same in two runs.
_VARIABLE_HEADERS: Final = {"host"}
_VARIABLE_RESULTS: Final = {"application span", "message"}


def error_type_and_status(runs: Runs) -> Cell:
    call = runs.content["error"]
    if not any(span.status == "ERROR" for span in call.spans):
        return no()
    types = [str(value) for value in call.values("error.type")]
    types += [
        event["attributes"].get("exception.type", "")
        for span in call.spans
        for event in span.events
    ]
    has_status = 401 in call.values(*_STATUS_CODES)
    return of_all(
        [
            (
                "the type",
                yes() if any("AuthenticationError" in t for t in types) else no(),
            ),
            ("the status code", yes() if has_status else no()),
        ]
    )


def no_secret(runs: Runs) -> Cell:
    """DeepSeek's message about a wrong key has the last four characters of the key."""
    record = runs.content
    call = record["error"]
    end_of_key = record.data["api_key"][-4:]
    if end_of_key not in call.exchange.response_body.decode():
        raise ValueError("the simulator has not quoted the key")
    if not call.spans:
        return no("no span")
    places = [
        name
        for name, value in {
            "status": [span.source["description"] for span in call.spans],
            "attributes": [span.source["attributes"] for span in call.spans],
            "events": [span.events for span in call.spans],
            "logs": call.log_texts,
            "metrics": record.data["metrics"],
        }.items()
        if end_of_key in json.dumps(value)
    ]
    return no(f"in {', '.join(places)}") if places else yes()


def retry_is_visible(runs: Runs) -> Cell:
    call = runs.content["retry"]
    if len(call.exchanges) != 2:
        raise ValueError("the SDK has not retried once")
    if not call.spans:
        return no("no span")
    if call.values("http.request.resend_count", "retry_count"):
        return yes()
    if len(call.http_spans) == 2:
        return yes("by the spans of the HTTP requests")
    return no()


def metrics(runs: Runs) -> Cell:
    names = runs.content.metric_names
    kinds = {"the duration": "operation.duration", "the tokens": "token.usage"}
    return of_all(
        (kind, yes() if any(part in name for name in names) else no())
        for kind, part in kinds.items()
    )


def request_is_unchanged(runs: Runs) -> Cell:
    if not runs.content.has_spans:
        return no("no span")
    changes = dict.fromkeys(
        change
        for name, call in runs.bare.calls.items()
        for change in _changes_of_requests(name, runs.bare, runs.content)
        if call.exchanges
    )
    if not changes:
        return yes()
    return no(", ".join(changes))


def _changes_of_requests(name: str, bare: Record, content: Record) -> list[str]:
    expected, sent = bare[name].exchanges, content[name].exchanges
    if len(expected) != len(sent):
        return [f"{len(sent)} requests instead of {len(expected)}"]
    changes: list[str] = []
    for before, after in zip(expected, sent, strict=True):
        changes += [
            f"header `{header}`"
            for header in sorted({*before.request_headers, *after.request_headers})
            if header not in _VARIABLE_HEADERS
            and before.request_headers.get(header) != after.request_headers.get(header)
        ]
        old, new = _body(before.request_body), _body(after.request_body)
        changes += [
            f"`{field}` of the body"
            for field in sorted({*old, *new})
            if old.get(field) != new.get(field)
        ]
    return changes


def _body(body: bytes) -> dict[str, Any]:
    """The fields without the ids of earlier responses, which differ between runs."""
    fields: dict[str, Any] = json.loads(body)
    for message in fields.get("messages", ()):
        message.pop("tool_call_id", None)
        for call in message.get("tool_calls", ()):
            call.pop("id", None)
    return fields


def results_are_unchanged(runs: Runs) -> Cell:
    if not runs.content.has_spans:
        return no("no span")
    changes = {
        change: None
        for name, call in runs.bare.calls.items()
        for change in _changes_of_results(call.results, runs.content[name].results)
    }
    return no(", ".join(changes)) if changes else yes()


def _changes_of_results(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    changes: list[str] = []
    for name in before.keys() | after.keys():
        old, new = before.get(name), after.get(name)
        if old == new or name in _VARIABLE_RESULTS:
            continue
        if name == "raises":
            changes.append(f"raises {new} instead of {old}")
        elif isinstance(old, bool):
            changes.append(f"`{name}` is {str(new).lower()}")
        else:
            changes.append(f"`{name}` differs")
    return sorted(changes)
