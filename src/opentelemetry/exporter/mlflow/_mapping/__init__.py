"""What MLflow reads ← what the GenAI conventions write, for the attributes of a span.

Only what an MLflow server (3.14 and later) does not do itself, or does in a way that
its pages cannot show. The server goes on to read token counts, models and provider
where they stand. Nothing here knows of other spans.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.exporter.mlflow._mapping._inputs_outputs import (
    as_it_is,
    choices,
    conversation,
    documents,
    query,
    tools,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

SPAN_TYPE = "mlflow.spanType"
SPAN_INPUTS = "mlflow.spanInputs"
SPAN_OUTPUTS = "mlflow.spanOutputs"
SESSION = "session.id"
USER = "user.id"
# Names what should be content, and is not in the conventions' shape.
UNPARSED = "opentelemetry.exporter.mlflow.unparsed"

Attributes = dict[str, Any]
Reader = Callable[[Attributes], Any]

# https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/registry/attributes/gen-ai.md
TYPES = {
    "chat": "CHAT_MODEL",
    "create_agent": "AGENT",
    "embeddings": "EMBEDDING",
    "execute_tool": "TOOL",
    "fetch_response": "LLM",
    "generate_content": "LLM",
    "invoke_agent": "AGENT",
    "invoke_workflow": "WORKFLOW",
    "retrieval": "RETRIEVER",
    "text_completion": "LLM",
}

# MLflow writes the first on spans of others while it traces to OTLP itself, and the
# second is its word for a span without a type.
_NO_TYPES = ("null", "UNKNOWN")


class Row(NamedTuple):
    """One correspondence: `name` in MLflow ← what `read` finds, if it finds any.

    `source` are the attributes it reads, and `why` is what MLflow does without it, both
    for people. `instead` are attributes whose content the value holds: MLflow would
    store and show it a second time. `along` is said of every such value.
    """

    name: str
    read: Reader
    source: tuple[str, ...]
    why: str
    instead: tuple[str, ...] = ()
    along: tuple[tuple[str, str], ...] = ()


def _span_type(attributes: Attributes) -> str | None:
    operation = attributes.get("gen_ai.operation.name")
    return TYPES.get(operation) if isinstance(operation, str) else None


def _identity(*names: str) -> Reader:
    def read(attributes: Attributes) -> str | None:
        for name in names:
            if found := attributes.get(name):
                return str(found)
        return None

    return read


_OPENAI = (("mlflow.message.format", "openai"),)
_ASKED = ("gen_ai.system_instructions", "gen_ai.input.messages")
_USERS = ("enduser.id", "enduser.pseudo.id")

# Where two have one name, the first that finds something.
ROWS = (
    Row(
        SPAN_TYPE,
        _span_type,
        ("gen_ai.operation.name",),
        "cannot find spans by their type, and has none for some",
    ),
    Row(
        SPAN_INPUTS,
        conversation,
        (*_ASKED, "gen_ai.request.*"),
        "shows no instructions, and no chat where there is reasoning",
        instead=_ASKED,
        along=_OPENAI,
    ),
    Row(
        SPAN_INPUTS,
        as_it_is("gen_ai.tool.call.arguments"),
        ("gen_ai.tool.call.arguments",),
        "stores them twice, and shows no empty ones",
        instead=("gen_ai.tool.call.arguments",),
    ),
    Row(
        SPAN_INPUTS,
        query,
        ("gen_ai.retrieval.query.text", "gen_ai.retrieval.top_k"),
        "has no inputs",
        instead=("gen_ai.retrieval.query.text",),
    ),
    Row(
        SPAN_OUTPUTS,
        choices,
        ("gen_ai.output.messages", "gen_ai.response.*"),
        "shows no chat where there is reasoning",
        instead=("gen_ai.output.messages",),
        along=_OPENAI,
    ),
    Row(
        SPAN_OUTPUTS,
        as_it_is("gen_ai.tool.call.result"),
        ("gen_ai.tool.call.result",),
        "stores it twice, and shows no empty one",
        instead=("gen_ai.tool.call.result",),
    ),
    Row(
        SPAN_OUTPUTS,
        documents,
        ("gen_ai.retrieval.documents",),
        "has no outputs, and nothing for its scorers to judge",
        instead=("gen_ai.retrieval.documents",),
    ),
    Row(
        "mlflow.chat.tools",
        tools,
        ("gen_ai.tool.definitions",),
        "does not list them",
        instead=("gen_ai.tool.definitions",),
    ),
    Row(
        SESSION,
        _identity(SESSION, "gen_ai.conversation.id"),
        (SESSION, "gen_ai.conversation.id"),
        "takes the one that comes first, not that of the root",
    ),
    Row(USER, _identity(USER, *_USERS), (USER, *_USERS), "knows the first alone"),
)


# Without one of these there is nothing to do, as on most spans of a web application.
_READ = frozenset(name for row in ROWS for name in row.source if not name.endswith("*"))


def mlflow_attributes(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    """The attributes of a span as MLflow shows them best; what was given is unchanged.

    Every attribute is kept, but for those whose content moves to `mlflow.spanInputs`,
    `mlflow.spanOutputs` and `mlflow.chat.tools` (JSON strings; messages in OpenAI's
    shape). An `mlflow.*` attribute that is there already goes before ours. Content that
    is not in the conventions' shape stays as it is, and is named in
    `opentelemetry.exporter.mlflow.unparsed`. Never raises; applied twice it is the same
    as once.
    """
    # Of a span's attributes, a tenth of the time of dict().
    copied = attributes.copy() if isinstance(attributes, MappingProxyType) else None
    mapped = copied if type(copied) is dict else dict(attributes or {})
    if mapped.get(SPAN_TYPE) in _NO_TYPES:
        del mapped[SPAN_TYPE]
    if mapped.keys().isdisjoint(_READ):
        return mapped
    unread: list[str] = []
    for name, read, _, _, instead, along in ROWS:
        if name in mapped and name.startswith("mlflow."):
            continue
        try:
            value = read(mapped)
        except (RecursionError, TypeError, ValueError):
            unread += [moved for moved in instead if moved in mapped]
            continue
        if value is None:
            continue
        mapped[name] = value
        for moved in instead:
            mapped.pop(moved, None)
        for constant, of in along:
            mapped.setdefault(constant, of)
    if unread:
        mapped[UNPARSED] = tuple(unread)
    return mapped
