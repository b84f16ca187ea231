"""Puts the summary of a trace on its root span.

An MLflow server and MLflow's client read name, request, response and session of a trace
from the span without a parent. In an application that span is a web request or a job.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.mlflow._mapping import (
    OTHER_INPUTS,
    OTHER_OUTPUTS,
    SPAN_INPUTS,
    SPAN_OUTPUTS,
    SPAN_TYPE,
)
from opentelemetry.exporter.mlflow._mapping._json import make_encoder
from opentelemetry.exporter.mlflow._trace_info._previews import with_question

if TYPE_CHECKING:
    from opentelemetry.exporter.mlflow._trace_info._summary import TraceSummary

TRACE_NAME = "mlflow.traceTag.mlflow.traceName"
# MLflow rejects a whole request because of one longer name.
_MAX_NAME_LENGTH = 4_096

# Attributes of other conventions that MLflow's server translates by itself.
# https://github.com/mlflow/mlflow/tree/v3.17.2/mlflow/tracing/otel/translation
_OTHER_SPAN_TYPES = (
    "openinference.span.kind",
    "traceloop.span.kind",
    "langfuse.observation.type",
    "lmnr.span.type",
)
_OTHER_INPUTS = (
    "gen_ai.input.messages",
    "gen_ai.tool.call.arguments",
    *OTHER_INPUTS,
)
_OTHER_OUTPUTS = (
    "gen_ai.output.messages",
    "gen_ai.tool.call.result",
    *OTHER_OUTPUTS,
)


def set_trace_name(attributes: dict[str, Any], name: str) -> None:
    attributes.setdefault(TRACE_NAME, name[:_MAX_NAME_LENGTH])


def complete_local_root(attributes: dict[str, Any], summary: TraceSummary) -> None:
    """Add what a root span of this process lacks: type, inputs and outputs.

    A root span of MLflow's beneath it also gives the name of the trace.
    """
    if root := summary.fluent_root:
        attributes.setdefault(TRACE_NAME, root.name)
        for name, value in ((SPAN_INPUTS, root.inputs), (SPAN_OUTPUTS, root.outputs)):
            if value is not None:
                attributes.setdefault(name, value)
    if not _has_any(attributes, SPAN_TYPE, *_OTHER_SPAN_TYPES):
        attributes[SPAN_TYPE] = "CHAIN"
    add_conversation(attributes, summary)


def add_conversation(attributes: dict[str, Any], summary: TraceSummary) -> None:
    """Add the first question and the last answer if inputs or outputs are missing.

    Inputs with nothing but instructions, as pydantic-ai's agents have them, get the
    question, too.
    """
    if summary.question and not _has_any(attributes, SPAN_INPUTS, *_OTHER_INPUTS):
        message = {"role": "user", "content": summary.question}
        attributes[SPAN_INPUTS] = _encode({"messages": [message]})
    elif summary.question and (
        inputs := with_question(attributes.get(SPAN_INPUTS), summary.question)
    ):
        attributes[SPAN_INPUTS] = _encode(inputs)
    if summary.answer and not _has_any(attributes, SPAN_OUTPUTS, *_OTHER_OUTPUTS):
        message = {"role": "assistant", "content": summary.answer}
        attributes[SPAN_OUTPUTS] = _encode({"choices": [{"message": message}]})


def _has_any(attributes: dict[str, Any], *names: str) -> bool:
    return any(attributes.get(name) for name in names)


_encode = make_encoder(allow_nan=True)
