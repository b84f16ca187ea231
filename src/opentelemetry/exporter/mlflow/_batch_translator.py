"""Translates batches of spans for MLflow, and completes the root spans in them.

Model calls end, and are sent, before the root span of their trace. Therefore a
TraceSummary of each trace is kept until its root span ends. An agent without inputs and
outputs of its own gets those of the model calls beneath it in the same way, and a span
around a call gets the cost of the call.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.sdk.trace import ReadableSpan

from opentelemetry.exporter.mlflow._fluent_api._trace_attributes import (
    add_trace_context,
)
from opentelemetry.exporter.mlflow._fluent_api._trace_contexts import trace_contexts
from opentelemetry.exporter.mlflow._mapping import SESSION, SPAN_TYPE
from opentelemetry.exporter.mlflow._mlflow_bridge._fluent_trace_info import (
    fluent_trace_infos,
)
from opentelemetry.exporter.mlflow._mlflow_bridge._repeated_calls import (
    repeated_calls,
)
from opentelemetry.exporter.mlflow._mlflow_bridge._span_mirror import FluentSpan
from opentelemetry.exporter.mlflow._mlflow_bridge._span_selection import (
    span_functions,
)
from opentelemetry.exporter.mlflow._mlflow_bridge._started_spans import started_spans
from opentelemetry.exporter.mlflow._resource import ResourceSplitter
from opentelemetry.exporter.mlflow._sanitize import sanitize
from opentelemetry.exporter.mlflow._span_translator import SpanTranslator
from opentelemetry.exporter.mlflow._trace_info._call_costs import (
    CallCosts,
    is_deepseek_call,
)
from opentelemetry.exporter.mlflow._trace_info._indexed_messages import indexed_texts
from opentelemetry.exporter.mlflow._trace_info._root_span import (
    add_conversation,
    complete_local_root,
    set_trace_name,
)
from opentelemetry.exporter.mlflow._trace_info._summary import TraceSummary
from opentelemetry.exporter.mlflow._trace_info._trace_settings import (
    CLIENT_TRACE_INFO,
    EXPERIMENT_ID,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from opentelemetry.exporter.mlflow._pricing._call_cost import CallCost
    from opentelemetry.exporter.mlflow._resource import SplitResource
    from opentelemetry.exporter.mlflow._span_translator import TranslatedSpan

_MODEL_CALL_TYPES = ("CHAT_MODEL", "LLM")
_AGENT_TYPES = ("AGENT", "WORKFLOW")

# The root of some traces never ends in this process.
_MAX_TRACES = 2_000


class _BatchSpan(NamedTuple):
    span: ReadableSpan
    translated: TranslatedSpan
    split_resource: SplitResource
    trace_id: int
    span_id: int
    parent_id: int | None  # None: the span has no parent in this process
    is_root: bool

    @property
    def attributes(self) -> dict[str, Any]:
        return self.translated.attributes

    @property
    def cost(self) -> CallCost | None:
        return self.translated.cost


class BatchTranslator:
    """The translation of one exporter.

    `promote_remote_root`: a span whose parent is in another process becomes a root.
    `has_tracking_uri` tells whether the exporter writes to a tracking URI of MLflow.
    """

    def __init__(
        self,
        *,
        promote_remote_root: bool,
        translator: SpanTranslator | None = None,
        has_tracking_uri: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._promote_remote_root = promote_remote_root
        self._has_tracking_uri = has_tracking_uri
        self._translator = translator or SpanTranslator()
        self._resource_splitter = ResourceSplitter()
        self.after_fork()

    def after_fork(self) -> None:
        """Forget the parent's traces in a forked child: they end in the parent."""
        # A signal handler, or a finalizer during a garbage collection, may end a span
        # that is exported at once, in the same thread. All locks of an export must be
        # reentrant, and no thread may start while one is held: the new thread may run
        # the finalizer, and `start` waits for the new thread.
        self._lock = threading.RLock()
        # The summaries of each trace by the parent of the spans in them. The parent has
        # not ended, or it has ended before a stream beneath it was read.
        self._summaries: OrderedDict[int, dict[int, TraceSummary]] = OrderedDict()

    def translate(self, spans: Sequence[ReadableSpan]) -> list[ReadableSpan]:
        """Return copies of `spans` in the form that MLflow shows best. Never raises."""
        batch = [self._translate(span) for span in spans]
        repeated_calls.count_once(batch)
        with self._lock:
            for item in batch:
                if item.parent_id is not None:
                    self._add_to_summary(item, item.parent_id)
            for item in batch:
                if item.parent_id is None:
                    summaries = self._summaries.pop(item.trace_id, {})
                    _complete(item, _merged(summaries.values()))
        _share_session_of_root(batch)
        if not trace_contexts.is_empty:
            self._add_trace_contexts(batch)
        return [sanitize(_to_span(item)) for item in batch]

    def _translate(self, span: ReadableSpan) -> _BatchSpan:
        context, parent = span.context, span.parent
        has_local_parent = parent is not None and not parent.is_remote
        return _BatchSpan(
            span,
            self._translator.translate(span, span_functions(span)),
            self._resource_splitter.split(span.resource),
            context.trace_id if context else 0,
            context.span_id if context else 0,
            parent.span_id if parent and has_local_parent else None,
            not parent or (parent.is_remote and self._promote_remote_root),
        )

    def _add_to_summary(self, item: _BatchSpan, parent_id: int) -> None:
        span, attributes = item.span, item.attributes
        is_fluent = isinstance(span, FluentSpan)
        is_fluent_root = isinstance(span, FluentSpan) and span.is_mlflow_root
        span_type = attributes.get(SPAN_TYPE)
        question, answer = item.translated.question, item.translated.answer
        is_model_call = span_type in _MODEL_CALL_TYPES
        if not is_model_call and (texts := indexed_texts(attributes)):
            is_model_call, (question, answer) = True, texts
        child_summary = self._summaries.get(item.trace_id, {}).pop(item.span_id, None)
        if child_summary and span_type in _AGENT_TYPES and not is_fluent:
            add_conversation(attributes, child_summary)
        if not (child_summary or is_model_call or is_fluent_root or item.cost):
            return
        summary = self._summary(item.trace_id, parent_id)
        if child_summary:
            child_summary.costs = _costs(item, child_summary.costs)
            summary.merge(child_summary)
        else:
            summary.costs.add(_costs(item, CallCosts()))
        if is_model_call:
            summary.add_model_call(span, attributes, question, answer)
        if is_fluent_root:
            summary.add_fluent_root(item.translated.name, span, attributes)

    def _add_trace_contexts(self, batch: list[_BatchSpan]) -> None:
        for item in batch:
            if (context := trace_contexts.get(item.trace_id)) is None:
                continue
            experiment_id = trace_contexts.take_experiment(
                item.trace_id, self._has_tracking_uri
            )
            if experiment_id is not None:
                item.attributes[EXPERIMENT_ID] = experiment_id
            # MLflow's client sends the TraceInfo of a trace with fluent spans.
            if started_spans.count(item.trace_id) is None:
                add_trace_context(
                    item.attributes,
                    context,
                    self._has_tracking_uri,
                    is_local_root=item.parent_id is None,
                )

    def _summary(self, trace_id: int, parent_id: int) -> TraceSummary:
        summaries = self._summaries.get(trace_id)
        if summaries is None:
            summaries = self._summaries[trace_id] = {}
            if len(self._summaries) > _MAX_TRACES:
                self._summaries.popitem(last=False)
        self._summaries.move_to_end(trace_id)
        summary = summaries.get(parent_id)
        if summary is None:
            summary = summaries[parent_id] = TraceSummary()
        return summary


_EMPTY_SUMMARY = TraceSummary()


def _costs(item: _BatchSpan, beneath: CallCosts) -> CallCosts:
    """The costs of the span and of those beneath it."""
    if is_deepseek_call(item.span):
        # What is recorded beneath it is the same call.
        return CallCosts(item.cost)
    is_fluent = isinstance(item.span, FluentSpan)
    beneath.add_enclosing_span(item.attributes, item.cost, is_fluent=is_fluent)
    return beneath


def _merged(summaries: Collection[TraceSummary]) -> TraceSummary:
    first, *others = summaries or (_EMPTY_SUMMARY,)
    for other in others:
        first.merge(other)
    return first


def _complete(item: _BatchSpan, summary: TraceSummary) -> None:
    attributes = item.attributes
    for name, value in item.split_resource.local_root_attributes.items():
        attributes.setdefault(name, value)
    if item.is_root and not summary.fluent_root:
        set_trace_name(attributes, item.translated.name)
    if (client_info := fluent_trace_infos.of(item.trace_id)) is not None:
        attributes[CLIENT_TRACE_INFO] = json.dumps(client_info._asdict(), default=str)
    complete_local_root(attributes, summary)
    if summary is not _EMPTY_SUMMARY:
        _costs(item, summary.costs)


def _share_session_of_root(batch: list[_BatchSpan]) -> None:
    """MLflow takes the session of the span that arrives first, not that of the root."""
    sessions = {
        item.trace_id: item.attributes[SESSION]
        for item in batch
        if item.is_root and SESSION in item.attributes
    }
    for item in batch if sessions else ():
        if item.trace_id in sessions:
            item.attributes[SESSION] = sessions[item.trace_id]


def _to_span(item: _BatchSpan) -> ReadableSpan:
    span, translated = item.span, item.translated
    # replace_span() takes twice as long, and this is done for every span.
    return ReadableSpan(
        name=translated.name,
        context=span.context,
        parent=None if item.is_root else span.parent,
        resource=item.split_resource.resource,
        attributes=translated.attributes,
        events=translated.events,
        links=translated.links,
        kind=span.kind,
        status=translated.status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
