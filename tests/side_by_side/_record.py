"""What a worker has written: its calls, with their HTTP exchanges and spans."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from examples.simulator import Exchange
from tests.comparison._run_result import ResponseMessage

if TYPE_CHECKING:
    from collections.abc import Iterator

# Attributes that repeat the body of the response. A value that is only there cannot be
# searched for or added up.
_BODIES: Final = (
    "gen_ai.usage.raw",
    "langfuse.observation.output",
    "mlflow.spanOutputs",
    "output.value",
)
# Of the instrumentation of an HTTP client.
_HTTP_ATTRIBUTES: Final = ("http.method", "http.request.method")


def _decode(value: Any) -> Any:
    """Parses texts that are JSON objects, arrays or strings, at every depth."""
    if isinstance(value, str) and value[:1] in {"{", "[", '"'}:
        try:
            return _decode(json.loads(value))
        except ValueError:
            return value
    if isinstance(value, dict):
        return {name: _decode(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_decode(item) for item in value]
    return value


def _leaves(value: Any) -> Iterator[Any]:
    items = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for item in items:
            yield from _leaves(item)
    else:
        yield value


def _named(value: Any, names: tuple[str, ...]) -> Iterator[Any]:
    """Yields the values of the keys `names`, at every depth; those of lists singly."""
    if isinstance(value, list):
        for item in value:
            yield from _named(item, names)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name in names:
                yield from item if isinstance(item, list) else [item]
            yield from _named(item, names)


@dataclass(frozen=True)
class Span:
    """`source` is the span as it was recorded."""

    name: str
    kind: str | None
    parent_id: str | None
    start_ns: int
    end_ns: int
    status: str
    source: dict[str, Any]

    @classmethod
    def read(cls, source: dict[str, Any]) -> Span:
        names = ("name", "kind", "parent_id", "start_ns", "end_ns", "status")
        return cls(source=source, **{name: source[name] for name in names})

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """With the content of the values that are JSON."""
        attributes: dict[str, Any] = _decode(self.source["attributes"])
        return attributes

    @property
    def events(self) -> list[dict[str, Any]]:
        return list(self.source["events"])

    @property
    def is_http_request(self) -> bool:
        return any(name in self.source["attributes"] for name in _HTTP_ATTRIBUTES)

    @property
    def texts(self) -> list[str]:
        """All texts of the attributes and the events, without the syntax of JSON."""
        events = [_decode(event["attributes"]) for event in self.events]
        return [str(leaf) for leaf in _leaves([self.attributes, events])]

    def values(self, *names: str) -> list[Any]:
        """The values of these keys, also within others, but not of the body."""
        attributes = {k: v for k, v in self.attributes.items() if k not in _BODIES}
        return list(_named(attributes, names))

    def body_values(self, *names: str) -> list[Any]:
        bodies = [v for k, v in self.attributes.items() if k in _BODIES]
        return list(_named(bodies, names))


@dataclass(frozen=True)
class Call:
    """A call of the SDK; `spans` are those of model calls."""

    name: str
    start_ns: int
    first_chunk_ns: int
    last_chunk_ns: int
    results: dict[str, Any]
    exchanges: list[Exchange]
    spans: list[Span]
    http_spans: list[Span]
    log_texts: list[str]

    @property
    def exchange(self) -> Exchange:
        return self.exchanges[-1]

    @property
    def exchange_json(self) -> dict[str, Any]:
        """The body of the response."""
        body: dict[str, Any] = json.loads(self.exchange.response_body)
        return body

    @property
    def usage(self) -> dict[str, Any]:
        return dict(self.exchange.usage or {})

    @cached_property
    def response(self) -> ResponseMessage:
        return ResponseMessage.read(self.exchange)

    @cached_property
    def _texts(self) -> list[str]:
        return [text for span in self.spans for text in span.texts] + self.log_texts

    def has_text(self, text: str) -> bool:
        return any(text in recorded for recorded in self._texts)

    def has_value(self, value: str) -> bool:
        """Whether it is recorded on its own, not as a part of a text."""
        return value in self._texts

    def values(self, *names: str) -> list[Any]:
        return [value for span in self.spans for value in span.values(*names)]

    def body_values(self, *names: str) -> list[Any]:
        return [value for span in self.spans for value in span.body_values(*names)]


class Record:
    """The record of a worker; `data` is its JSON."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        spans = [Span.read(span) for span in data["spans"]]
        exchanges = [_exchange(exchange) for exchange in data["exchanges"]]
        self.calls = {
            call["name"]: self._call(call, spans, exchanges) for call in data["calls"]
        }
        self.metric_names = sorted({metric["name"] for metric in data["metrics"]})

    def _call(
        self, data: dict[str, Any], spans: list[Span], exchanges: list[Exchange]
    ) -> Call:
        period = range(data["start_ns"], data["end_ns"] + 1)
        spans = [span for span in spans if span.start_ns in period]
        first, end = data["exchanges"]
        logs = [log for log in self.data["logs"] if log["time_ns"] in period]
        return Call(
            data["name"],
            data["start_ns"],
            data["first_chunk_ns"],
            data["last_chunk_ns"],
            data["results"],
            exchanges[first:end],
            [span for span in spans if not span.is_http_request],
            [span for span in spans if span.is_http_request],
            [str(leaf) for leaf in _leaves(_decode(logs))],
        )

    def __getitem__(self, name: str) -> Call:
        return self.calls[name]

    @property
    def has_spans(self) -> bool:
        return any(call.spans for call in self.calls.values())


def _exchange(data: dict[str, Any]) -> Exchange:
    return Exchange(
        "POST",
        data["path"],
        data["headers"],
        data["request_body"].encode(),
        status=data["status"],
        response_body=data["response_body"].encode(),
        usage=data["usage"],
    )
