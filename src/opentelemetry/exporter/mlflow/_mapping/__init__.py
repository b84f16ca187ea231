"""Maps GenAI attributes of one span to the attributes that MLflow reads.

The mapping covers only what an MLflow server (3.14 and later) does not do by itself, or
does in a way that its pages cannot show. The server reads token counts, models and
provider from the GenAI attributes, which stay on the span.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.exporter.mlflow._mapping._inputs_outputs import (
    attribute,
    chat_request,
    chat_response,
    documents,
    encode_json,
    retrieval_query,
    tools,
    truncated_attribute,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

SPAN_TYPE = "mlflow.spanType"
SPAN_INPUTS = "mlflow.spanInputs"
SPAN_OUTPUTS = "mlflow.spanOutputs"
SESSION = "session.id"
USER = "user.id"
# Lists the content attributes that do not have the shape of the conventions.
UNPARSED = "opentelemetry.exporter.mlflow.unparsed"

Attributes = dict[str, Any]
Reader = Callable[[Attributes], Any]

# https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/registry/attributes/gen-ai.md
SPAN_TYPES = {
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

# MLflow writes "null" on application spans while it exports traces to OTLP itself.
# "UNKNOWN" is its value for a span without a type.
_EMPTY_SPAN_TYPES = ("null", "UNKNOWN")


class MappingRow(NamedTuple):
    """Maps attributes of the conventions to the MLflow attribute `name`.

    `read` returns the value, or None if the span has none; `encode` writes it as the
    attribute. `sources` are the attributes that `read` uses, and `without` is what
    MLflow does without this row; both are for the documentation. `replaces` are
    attributes whose content the value contains: MLflow would store and show it twice.
    `constants` are added to the span together with the value.
    """

    name: str
    read: Reader
    sources: tuple[str, ...]
    without: str
    encode: Callable[[Any], str] | None = encode_json
    replaces: tuple[str, ...] = ()
    constants: tuple[tuple[str, str], ...] = ()


class MappedAttributes(NamedTuple):
    """The attributes for MLflow, and the values of inputs and outputs before encoding.

    A reader of `inputs` and `outputs` does not have to parse the JSON of the
    attributes. None: the mapping has not read them.
    """

    attributes: dict[str, Any]
    inputs: Any = None
    outputs: Any = None


def _span_type(attributes: Attributes) -> str | None:
    operation = attributes.get("gen_ai.operation.name")
    return SPAN_TYPES.get(operation) if isinstance(operation, str) else None


def _first_of(*names: str) -> Reader:
    def first(attributes: Attributes) -> str | None:
        for name in names:
            if value := attributes.get(name):
                return str(value)
        return None

    return first


OPENAI_FORMAT = (("mlflow.message.format", "openai"),)
_MESSAGES = ("gen_ai.system_instructions", "gen_ai.input.messages")
_OTHER_USERS = ("enduser.id", "enduser.pseudo.id")
# JSON of OpenInference, Traceloop, Langfuse and Laminar.
OTHER_INPUTS = (
    "input.value",
    "traceloop.entity.input",
    "langfuse.observation.input",
    "lmnr.span.input",
)
OTHER_OUTPUTS = (
    "output.value",
    "traceloop.entity.output",
    "langfuse.observation.output",
    "lmnr.span.output",
)

# If several rows have the same name, the first one that returns a value counts.
MAPPING = (
    MappingRow(
        SPAN_TYPE,
        _span_type,
        ("gen_ai.operation.name",),
        "cannot find spans by their type, and has none for some",
        encode=None,
    ),
    MappingRow(
        SPAN_INPUTS,
        chat_request,
        (*_MESSAGES, "gen_ai.request.*"),
        "shows no instructions, and no chat if there is reasoning",
        replaces=_MESSAGES,
        constants=OPENAI_FORMAT,
    ),
    MappingRow(
        SPAN_INPUTS,
        attribute("gen_ai.tool.call.arguments"),
        ("gen_ai.tool.call.arguments",),
        "stores them twice, and shows no empty ones",
        replaces=("gen_ai.tool.call.arguments",),
    ),
    MappingRow(
        SPAN_INPUTS,
        retrieval_query,
        ("gen_ai.retrieval.query.text", "gen_ai.retrieval.top_k"),
        "has no inputs",
        replaces=("gen_ai.retrieval.query.text",),
    ),
    MappingRow(
        SPAN_INPUTS,
        truncated_attribute(*OTHER_INPUTS),
        OTHER_INPUTS,
        "shows JSON that was cut as text",
    ),
    MappingRow(
        SPAN_OUTPUTS,
        chat_response,
        ("gen_ai.output.messages", "gen_ai.response.*"),
        "shows no chat if there is reasoning",
        replaces=("gen_ai.output.messages",),
        constants=OPENAI_FORMAT,
    ),
    MappingRow(
        SPAN_OUTPUTS,
        attribute("gen_ai.tool.call.result"),
        ("gen_ai.tool.call.result",),
        "stores it twice, and shows no empty one",
        replaces=("gen_ai.tool.call.result",),
    ),
    MappingRow(
        SPAN_OUTPUTS,
        documents,
        ("gen_ai.retrieval.documents",),
        "has no outputs, and its scorers have nothing to judge",
        replaces=("gen_ai.retrieval.documents",),
    ),
    MappingRow(
        SPAN_OUTPUTS,
        truncated_attribute(*OTHER_OUTPUTS),
        OTHER_OUTPUTS,
        "shows JSON that was cut as text",
    ),
    MappingRow(
        "mlflow.chat.tools",
        tools,
        ("gen_ai.tool.definitions",),
        "does not list them",
        replaces=("gen_ai.tool.definitions",),
    ),
    MappingRow(
        SESSION,
        _first_of(SESSION, "gen_ai.conversation.id"),
        (SESSION, "gen_ai.conversation.id"),
        "takes the session of the first span that arrives, not of the root",
        encode=None,
    ),
    MappingRow(
        USER,
        _first_of(USER, *_OTHER_USERS),
        (USER, *_OTHER_USERS),
        "reads only the first one",
        encode=None,
    ),
)


# Most spans of a web application have none of these attributes.
_SOURCES = frozenset(
    name for row in MAPPING for name in row.sources if not name.endswith("*")
)


def mlflow_attributes(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    """Map the attributes of a span to the attributes that MLflow's pages show best.

    Args:
        attributes: the attributes of one span; they are not changed.

    Returns:
        A new dictionary with all attributes, except those whose content moves to
        `mlflow.spanInputs`, `mlflow.spanOutputs` and `mlflow.chat.tools` (JSON strings;
        messages in OpenAI's shape). Existing `mlflow.*` attributes are kept. Content
        that does not have the shape of the conventions is kept, and listed in
        `opentelemetry.exporter.mlflow.unparsed`.

    Never raises. The mapping of a mapped dictionary is the same dictionary.
    """
    return map_attributes(attributes).attributes


def map_attributes(attributes: Mapping[str, Any] | None) -> MappedAttributes:
    """`mlflow_attributes`, and the values of inputs and outputs before encoding."""
    # copy() of a span's attributes takes a tenth of the time of dict().
    copy = attributes.copy() if isinstance(attributes, MappingProxyType) else None
    mapped = copy if type(copy) is dict else dict(attributes or {})
    if mapped.get(SPAN_TYPE) in _EMPTY_SPAN_TYPES:
        del mapped[SPAN_TYPE]
    if mapped.keys().isdisjoint(_SOURCES):
        return MappedAttributes(mapped)
    values: dict[str, Any] = {}
    unparsed: list[str] = []
    for name, read, _, _, encode, replaces, constants in MAPPING:
        if name in mapped and name.startswith("mlflow."):
            continue
        try:
            if (value := read(mapped)) is None:
                continue
            mapped[name] = encode(value) if encode else value
        except (RecursionError, TypeError, ValueError):
            unparsed += [source for source in replaces if source in mapped]
            continue
        values[name] = value
        for replaced in replaces:
            mapped.pop(replaced, None)
        for constant, constant_value in constants:
            mapped.setdefault(constant, constant_value)
    if unparsed:
        mapped[UNPARSED] = tuple(unparsed)
    return MappedAttributes(mapped, values.get(SPAN_INPUTS), values.get(SPAN_OUTPUTS))
