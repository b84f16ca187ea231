"""What each trace should have: 27 facts of the request and 28 of the guide's agent."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.comparison._prices import price
from tests.comparison._run_result import ResponseMessage, without_markup

from ._programs import CHAT, QUESTION, SESSION, TOOL, TOOL_RESULT, USER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Final

    from ._page import SpanText
    from ._run import Run


class Check(NamedTuple):
    """Whether a fact holds, and the value that was found; None if not looked at."""

    holds: bool | None
    value: object = ""


@dataclass(frozen=True)
class Evidence:
    """A run and, if a browser looked at it, the page's text of each model call."""

    run: Run
    pages: list[SpanText] | None

    @property
    def trace(self) -> dict[str, Any]:
        """The only trace; otherwise the one with most spans, with what it has."""
        return max(self.run.traces, key=lambda trace: len(trace["spans"]))

    @property
    def responses(self) -> list[ResponseMessage]:
        return [ResponseMessage.read(exchange) for exchange in self.run.exchanges]

    def usage(self, name: str) -> int:
        return sum((exchange.usage or {})[name] for exchange in self.run.exchanges)

    def otlp(self, operation: str) -> list[Any]:
        spans = [
            span
            for span in self.run.otlp_spans
            if span.attributes.get("gen_ai.operation.name") == operation
        ]
        return sorted(spans, key=lambda span: span.start_ns)

    def spans(self, span_type: str) -> list[dict[str, Any]]:
        spans = [span for span in self.trace["spans"] if span["type"] == span_type]
        return sorted(spans, key=lambda span: span["start_ns"])


def _exit(evidence: Evidence) -> Check:
    run = evidence.run
    lines = [
        line
        for line in run.log.splitlines()
        if any(word in line for word in ("Traceback", "ERROR", "WARNING", "Error"))
    ]
    return Check(not run.exit_code and not lines, lines[:2] or run.exit_code)


def _otlp_tree(evidence: Evidence) -> Check:
    program = evidence.run.program
    spans = evidence.run.otlp_spans
    number = len({span.trace_id for span in spans})
    found = _parents([(s.name, s.span_id, s.parent_id) for s in spans], program.parents)
    expected = {**program.parents, CHAT: program.parents[CHAT] * 2}
    return Check(number == 1 and found == expected, f"{number} traces: {found}")


def _parents(
    spans: list[tuple[str, str, str]], names: Iterable[str]
) -> dict[str, list[str]]:
    """Returns the names of the next known ancestors of the known spans.

    FastAPI and its instrumentation have spans of their own between them.
    """
    by_id = {span_id: (name, parent_id) for name, span_id, parent_id in spans}
    found: dict[str, list[str]] = {}
    for name, _, parent_id in spans:
        ancestor, next_id = "", parent_id
        while next_id and not ancestor:
            ancestor, next_id = by_id.get(next_id, ("missing", ""))
            if ancestor not in (*names, "missing"):
                ancestor = ""
        if name in names or not parent_id:
            found.setdefault(name, []).append(ancestor)
    return found


def _otlp_agent(evidence: Evidence) -> Check:
    names = [
        s.attributes.get("gen_ai.agent.name") for s in evidence.otlp("invoke_agent")
    ]
    return Check(names == [evidence.run.program.agent], names)


def _otlp_tool(evidence: Evidence) -> Check:
    found = [
        (
            span.attributes.get("gen_ai.tool.name"),
            span.attributes.get("gen_ai.tool.call.arguments"),
            span.attributes.get("gen_ai.tool.call.result"),
        )
        for span in evidence.otlp("execute_tool")
    ]
    holds = [
        (name, _decoded(arguments), _decoded(result))
        for name, arguments, result in found
    ] == [(TOOL, {"city": "Paris"}, TOOL_RESULT)]
    return Check(holds, found)


def _otlp_messages(evidence: Evidence) -> Check:
    spans = evidence.otlp("chat")
    texts = [
        (
            span.attributes.get("gen_ai.input.messages", ""),
            span.attributes.get("gen_ai.output.messages", ""),
        )
        for span in spans
    ]
    holds = len(spans) == len(evidence.responses) and all(
        QUESTION in given and response.text in taken and response.reasoning in taken
        for (given, taken), response in zip(texts, evidence.responses, strict=True)
    )
    return Check(holds, f"{len(spans)} calls")


def _otlp_tokens(evidence: Evidence) -> Check:
    names = ("input_tokens", "output_tokens", "cache_read.input_tokens")
    found = tuple(
        sum(s.attributes.get(f"gen_ai.usage.{name}", 0) for s in evidence.otlp("chat"))
        for name in names
    )
    billed = ("prompt_tokens", "completion_tokens", "prompt_cache_hit_tokens")
    return Check(found == tuple(map(evidence.usage, billed)), found)


def _arrives(evidence: Evidence) -> Check:
    run = evidence.run
    found = {t["trace_id"]: len(t["spans"]) for t in run.traces}
    holds = len(found) == 1 and run.searched_spans == found
    return Check(holds, f"search: {run.searched_spans}, get: {found}")


def _ids(evidence: Evidence) -> Check:
    """MLflow 3.1 chooses the trace id; the tag has that of OpenTelemetry."""
    tags = evidence.trace["tags"]
    trace_id = tags.get("opentelemetry.trace_id", evidence.trace["trace_id"])
    found = {
        (trace_id.removeprefix("tr-"), span["span_id"])
        for span in evidence.trace["spans"]
    }
    sent = {(span.trace_id, span.span_id) for span in evidence.run.otlp_spans}
    return Check(found == sent, f"{len(found)} spans, {len(found & sent)} at OTLP, too")


def _tree(evidence: Evidence) -> Check:
    program = evidence.run.program
    expected = {
        program.mlflow_name(name): [program.mlflow_name(parent) for parent in parents]
        for name, parents in program.parents.items()
    }
    expected[CHAT] *= 2
    spans = [
        (span["name"], span["span_id"], span["parent_id"] or "")
        for span in evidence.trace["spans"]
    ]
    found = _parents(spans, expected)
    return Check(found == expected, found)


def _state(evidence: Evidence) -> Check:
    return Check(evidence.trace["state"] == "OK", evidence.trace["state"])


def _duration(evidence: Evidence) -> Check:
    (root,) = (span for span in evidence.trace["spans"] if not span["parent_id"])
    expected = (root["end_ns"] - root["start_ns"]) / 1e6
    found = evidence.trace["execution_duration"]
    starts = abs(evidence.trace["request_time"] - root["start_ns"] / 1e6) <= 2
    return Check(
        starts and abs((found or 0) - expected) <= 2, f"{found} of {expected:.0f} ms"
    )


def _name(evidence: Evidence) -> Check:
    found = evidence.trace["tags"].get("mlflow.traceName")
    return Check(found == evidence.run.program.trace_name, found)


def _request_preview(evidence: Evidence) -> Check:
    return _preview(evidence, "request_preview", QUESTION)


def _response_preview(evidence: Evidence) -> Check:
    return _preview(evidence, "response_preview", evidence.responses[-1].text)


def _preview(evidence: Evidence, side: str, text: str) -> Check:
    """Text, but JSON where MLflow has the arguments of a function.

    The API of MLflow 3.1 has no previews. They are JSON of the metadata, of which its
    page shows the text.
    """
    found = evidence.trace[side] or ""
    has_previews = evidence.trace["trace_id"].startswith("tr-")
    is_json = evidence.run.program.has_fluent_spans or not has_previews
    return Check(text in found if is_json else found == text, found)


def _session(evidence: Evidence) -> Check:
    found = evidence.trace["metadata"].get("mlflow.trace.session")
    return Check(found == SESSION, found)


def _user(evidence: Evidence) -> Check:
    found = evidence.trace["metadata"].get("mlflow.trace.user")
    return Check(found == USER, found)


def _tokens(evidence: Evidence) -> Check:
    found = _usage(evidence)
    billed = {
        "input_tokens": evidence.usage("prompt_tokens"),
        "output_tokens": evidence.usage("completion_tokens"),
        "total_tokens": evidence.usage("total_tokens"),
    }
    return Check({name: found.get(name) for name in billed} == billed, found)


def _cache_reads(evidence: Evidence) -> Check:
    found = _usage(evidence).get("cache_read_input_tokens")
    billed = evidence.usage("prompt_cache_hit_tokens")
    return Check(billed > 0 and found == billed, found)


def _usage(evidence: Evidence) -> dict[str, int]:
    usage = evidence.trace["token_usage"]
    stored = evidence.trace["metadata"].get("mlflow.trace.tokenUsage", "{}")
    return dict(usage or json.loads(stored))


def _cost(evidence: Evidence) -> Check:
    """An MLflow without a column for the cost has it in the metadata."""
    stored = evidence.trace["metadata"].get("mlflow.trace.cost", "{}")
    found = (evidence.trace["cost"] or json.loads(stored)).get("total_cost")
    if found is None:
        return Check(holds=False)
    spans = evidence.otlp("chat")
    billed = sum(
        price(exchange, span.start_ns)
        for exchange, span in zip(evidence.run.exchanges, spans, strict=True)
    )
    where = "field" if evidence.trace["cost"] else "metadata"
    return Check(math.isclose(found, billed, rel_tol=1e-6), f"{found} ({where})")


def _types(evidence: Evidence) -> Check:
    """FastAPI's own spans have none."""
    found = {span["name"]: span["type"] for span in evidence.trace["spans"]}
    expected = evidence.run.program.mlflow_types
    return Check(found | expected == found, found)


def _agent_content(evidence: Evidence) -> Check:
    (agent,) = evidence.spans("AGENT")
    found = (agent["inputs"], agent["outputs"])
    return Check(found == ({"question": QUESTION}, evidence.responses[-1].text), found)


def _tool_content(evidence: Evidence) -> Check:
    found = [(span["inputs"], span["outputs"]) for span in evidence.spans("TOOL")]
    return Check(found == [({"city": "Paris"}, TOOL_RESULT)], found)


def _chat_content(evidence: Evidence) -> Check:
    """Messages and choices as MLflow's chat view takes them, with the reasoning."""
    calls = evidence.spans("CHAT_MODEL")
    found = []
    for span, response in zip(calls, evidence.responses, strict=True):
        roles = [(m["role"], m.get("content")) for m in span["inputs"]["messages"]]
        message = span["outputs"]["choices"][0]["message"]
        found.append(
            ("user", QUESTION) in roles
            and (message.get("content") or "") == response.text
            and response.reasoning in json.dumps(message, ensure_ascii=False)
            and len(message.get("tool_calls") or ()) == len(response.tool_calls)
        )
    return Check(len(found) == len(evidence.run.exchanges) and all(found), found)


def _tool_definitions(evidence: Evidence) -> Check:
    found = evidence.spans("CHAT_MODEL")[0]["attributes"].get("mlflow.chat.tools")
    sent = evidence.run.exchanges[0].request_json["tools"]
    names = [tool["function"]["name"] for tool in found or ()]
    return Check(names == [tool["function"]["name"] for tool in sent], found)


def _model(evidence: Evidence) -> Check:
    found = [
        (
            span["attributes"].get("mlflow.llm.model"),
            span["attributes"].get("mlflow.llm.provider"),
        )
        for span in evidence.spans("CHAT_MODEL")
    ]
    number = len(evidence.run.exchanges)
    return Check(found == [("deepseek-flash", "deepseek")] * number, found)


def _service_name(evidence: Evidence) -> Check:
    found = evidence.trace["tags"].get("service.name")
    return Check(found == "mlflow-versions", found)


def _page_messages(evidence: Evidence) -> Check:
    """A chat has the question, and the answer or the tool call, of each model call."""
    if evidence.pages is None:
        return Check(None)
    shown = [
        without_markup(QUESTION) in without_markup(page.chat)
        and without_markup(response.text) in without_markup(page.chat)
        and all(name in page.chat for name, _ in response.tool_calls)
        for page, response in zip(evidence.pages, evidence.responses, strict=True)
    ]
    return Check(bool(shown) and all(shown), shown)


def _page_reasoning(evidence: Evidence) -> Check:
    """The chat of MLflow 3.7 and older has no reasoning: inputs and outputs have it."""
    if evidence.pages is None:
        return Check(None)
    places = [
        [
            place
            for place, text in (
                ("chat", page.chat),
                ("outputs", page.inputs_and_outputs),
            )
            if response.reasoning
            and without_markup(response.reasoning) in without_markup(text)
        ]
        for page, response in zip(evidence.pages, evidence.responses, strict=True)
    ]
    return Check(bool(places) and all(places), places)


FACTS: Final[dict[str, Callable[[Evidence], Check]]] = {
    "the program ends without a warning": _exit,
    "OTLP: one tree": _otlp_tree,
    "OTLP: agent": _otlp_agent,
    "OTLP: tool with arguments and result": _otlp_tool,
    "OTLP: messages and reasoning": _otlp_messages,
    "OTLP: tokens": _otlp_tokens,
    "one trace is found": _arrives,
    "span ids as at OTLP": _ids,
    "one tree": _tree,
    "state": _state,
    "start and duration": _duration,
    "trace name": _name,
    "request preview": _request_preview,
    "response preview": _response_preview,
    "session": _session,
    "user": _user,
    "tokens": _tokens,
    "cache reads": _cache_reads,
    "cost": _cost,
    "span types": _types,
    "agent: inputs and outputs": _agent_content,
    "tool: inputs and outputs": _tool_content,
    "model calls: messages and choices": _chat_content,
    "model calls: tool definitions": _tool_definitions,
    "model calls: model and provider": _model,
    "service.name": _service_name,
    "page: messages": _page_messages,
    "page: reasoning": _page_reasoning,
}
_FLUENT_FACTS: Final = {"agent: inputs and outputs"}


def check_facts(evidence: Evidence) -> dict[str, Check]:
    names = [
        name
        for name in FACTS
        if evidence.run.program.has_fluent_spans or name not in _FLUENT_FACTS
    ]
    return {name: _check(FACTS[name], evidence) for name in names}


def _check(fact: Callable[[Evidence], Check], evidence: Evidence) -> Check:
    """What is missing makes some of the functions fail."""
    try:
        return fact(evidence)
    except Exception as error:  # noqa: BLE001  # any kind of missing data
        return Check(holds=False, value=repr(error))


def _decoded(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return text
