"""What MLflow's list of traces shows of a whole trace, put on its root.

MLflow reads name, request, response and state from the span without a parent. In an
application that span is a web request or a job, and what was asked and answered stands
on model calls below it. Those end, and are sent, before it; of each trace only the
first question and the last answer are kept until its root ends. The same goes for an
agent that says neither, within its trace.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.sdk.trace import ReadableSpan

from opentelemetry.exporter.mlflow._mapping import (
    SESSION,
    SPAN_INPUTS,
    SPAN_OUTPUTS,
    SPAN_TYPE,
)
from opentelemetry.exporter.mlflow._mapping._json import encoding
from opentelemetry.exporter.mlflow._mlflow_bridge._span_mirror import (
    is_root_of_mlflow,
    of_mlflow,
)
from opentelemetry.exporter.mlflow._resource import Origins
from opentelemetry.exporter.mlflow._sanitize import sanitize
from opentelemetry.exporter.mlflow._span_translator import SpanTranslator
from opentelemetry.exporter.mlflow._trace_info._summary import Kept, OfMlflow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.exporter.mlflow._resource import Origin
    from opentelemetry.exporter.mlflow._span_translator import Said

TRACE_NAME = "mlflow.traceTag.mlflow.traceName"
_MODEL_CALLS = ("CHAT_MODEL", "LLM")
_AGENTS = ("AGENT", "WORKFLOW")

_NOTHING = Kept()

# Traces whose root never comes here must not stay for ever.
_MOST_TRACES = 2_000
# MLflow refuses a whole request for one longer name.
_LONGEST_NAME = 4_096

# Where other conventions say what MLflow's server understands by itself.
# https://github.com/mlflow/mlflow/tree/v3.17.2/mlflow/tracing/otel/translation
_OTHER_TYPES = (
    "openinference.span.kind",
    "traceloop.span.kind",
    "langfuse.observation.type",
    "lmnr.span.type",
)
_OTHER_INPUTS = (
    "gen_ai.input.messages",
    "gen_ai.tool.call.arguments",
    "input.value",
    "traceloop.entity.input",
    "langfuse.observation.input",
    "lmnr.span.input",
)
_OTHER_OUTPUTS = (
    "gen_ai.output.messages",
    "gen_ai.tool.call.result",
    "output.value",
    "traceloop.entity.output",
    "langfuse.observation.output",
    "lmnr.span.output",
)


class _Mapped(NamedTuple):
    span: ReadableSpan
    said: Said
    origin: Origin
    trace_id: int
    span_id: int
    parent_id: int | None  # None: there is none in this process
    is_root: bool

    @property
    def attributes(self) -> dict[str, Any]:
        return self.said.attributes


class Roots:
    """Maps spans for MLflow, each at once, and the roots with what their traces said.

    `promote_remote` makes a span whose parent is in another process a root, which it
    is in this process anyhow; `wording` says each span by itself.
    """

    def __init__(
        self, *, promote_remote: bool, wording: SpanTranslator | None = None
    ) -> None:
        self._promote_remote = promote_remote
        self._wording = wording or SpanTranslator()
        self._origins = Origins()
        self.forget()

    def forget(self) -> None:
        """In a forked child, too: the parent's traces end in the parent."""
        self._lock = threading.Lock()
        # Of each trace, by the span it is beneath, which has not ended; or has, where a
        # stream was read later.
        self._kept: OrderedDict[int, dict[int, Kept]] = OrderedDict()

    def mapped(self, spans: Sequence[ReadableSpan]) -> list[ReadableSpan]:
        """Copies of `spans` as MLflow shows them best; never raises."""
        batch = [
            _Mapped(
                span,
                self._wording.said(span),
                self._origins.of(span.resource),
                at.trace_id if (at := span.context) else 0,
                at.span_id if at else 0,
                parent.span_id
                if (parent := span.parent) and not parent.is_remote
                else None,
                not parent or (parent.is_remote and self._promote_remote),
            )
            for span in spans
        ]
        with self._lock:
            for one in batch:
                if one.parent_id is not None:
                    self._keep(one, one.parent_id)
            for one in batch:
                if one.parent_id is None:
                    _complete(one, _all(self._kept.pop(one.trace_id, {})))
        _share_session(batch)
        return [sanitize(_copy(one)) for one in batch]

    def _keep(self, one: _Mapped, parent_id: int) -> None:
        attributes = one.said.attributes
        span_type = attributes.get(SPAN_TYPE)
        is_call = span_type in _MODEL_CALLS
        is_root_of_theirs = is_root_of_mlflow(one.span)
        beneath = self._kept.get(one.trace_id, {}).pop(one.span_id, None)
        if beneath and span_type in _AGENTS and not of_mlflow(one.span):
            _borrow(attributes, beneath)
        if not (beneath or is_call or is_root_of_theirs):
            return
        kept = self._beneath(parent_id, one.trace_id)
        if beneath:
            kept.merge(beneath)
        if is_call:
            kept.add(one.span, attributes)
        if is_root_of_theirs:
            kept.add_root_of_mlflow(OfMlflow.of(one.span, attributes))

    def _beneath(self, span_id: int, trace_id: int) -> Kept:
        of_trace = self._kept.get(trace_id)
        if of_trace is None:
            of_trace = self._kept[trace_id] = {}
            if len(self._kept) > _MOST_TRACES:
                self._kept.popitem(last=False)
        self._kept.move_to_end(trace_id)
        kept = of_trace.get(span_id)
        if kept is None:
            kept = of_trace[span_id] = Kept()
        return kept


def _all(of_trace: dict[int, Kept]) -> Kept:
    if not of_trace:
        return _NOTHING
    first, *others = of_trace.values()
    for other in others:
        first.merge(other)
    return first


def _complete(root: _Mapped, kept: Kept) -> None:
    attributes = root.attributes
    for name, value in root.origin.untagged.items():
        attributes.setdefault(name, value)
    if theirs := kept.root_of_mlflow:
        attributes.setdefault(TRACE_NAME, theirs.name)
        for name, value in (
            (SPAN_INPUTS, theirs.inputs),
            (SPAN_OUTPUTS, theirs.outputs),
        ):
            if value is not None:
                attributes.setdefault(name, value)
    if root.is_root:
        attributes.setdefault(TRACE_NAME, root.span.name[:_LONGEST_NAME])
    if not _has(attributes, SPAN_TYPE, *_OTHER_TYPES):
        attributes[SPAN_TYPE] = "CHAIN"
    _borrow(attributes, kept)


def _borrow(attributes: dict[str, Any], kept: Kept) -> None:
    if (
        kept.asked
        and not _has(attributes, SPAN_INPUTS, *_OTHER_INPUTS)
        and (first := kept.first_question)
    ):
        question = {"role": "user", "content": first}
        attributes[SPAN_INPUTS] = _dumped({"messages": [question]})
    if (
        kept.answered
        and not _has(attributes, SPAN_OUTPUTS, *_OTHER_OUTPUTS)
        and (last := kept.last_answer)
    ):
        answer = {"role": "assistant", "content": last}
        attributes[SPAN_OUTPUTS] = _dumped({"choices": [{"message": answer}]})


def _share_session(batch: list[_Mapped]) -> None:
    """MLflow takes the session of the first span that comes, not of the root."""
    sessions = {
        one.trace_id: one.attributes[SESSION]
        for one in batch
        if one.is_root and SESSION in one.attributes
    }
    for one in batch if sessions else ():
        if one.trace_id in sessions:
            one.attributes[SESSION] = sessions[one.trace_id]


def _copy(one: _Mapped) -> ReadableSpan:
    span, said = one.span, one.said
    # Not by `copied`, which takes twice as long: it is done to every span.
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=None if one.is_root else span.parent,
        resource=one.origin.resource,
        attributes=said.attributes,
        events=said.events,
        links=span.links,
        kind=span.kind,
        status=said.status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _has(attributes: dict[str, Any], *names: str) -> bool:
    return any(attributes.get(name) for name in names)


_dumped = encoding(allow_nan=True)
