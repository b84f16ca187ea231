"""Question and answer of model calls whose messages are indexed attributes.

OpenInference writes a message as `llm.input_messages.0.message.content`, and Traceloop
and Laminar write `gen_ai.prompt.0.content`. An MLflow server shows these calls by
itself, but not on the root span above them.

https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md
"""

from __future__ import annotations

from typing import Any, NamedTuple


class _Convention(NamedTuple):
    """The attributes of message `{}`; of several contents the first one counts."""

    input_role: str
    input_contents: tuple[str, ...]
    output_contents: tuple[str, ...]


_CONVENTIONS = (
    _Convention(
        "llm.input_messages.{}.message.role",
        (
            "llm.input_messages.{}.message.content",
            "llm.input_messages.{}.message.contents.0.message_content.text",
        ),
        (
            "llm.output_messages.{}.message.content",
            "llm.output_messages.{}.message.contents.0.message_content.text",
        ),
    ),
    _Convention(
        "gen_ai.prompt.{}.role",
        ("gen_ai.prompt.{}.content",),
        ("gen_ai.completion.{}.content",),
    ),
)
_BY_FIRST_ROLE = {
    convention.input_role.format(0): convention for convention in _CONVENTIONS
}


def indexed_texts(attributes: dict[str, Any]) -> tuple[str, str] | None:
    """The last text of the user and the first text of the model, or "" for each.

    None: the span does not have such messages.
    """
    for name, convention in _BY_FIRST_ROLE.items():
        if name in attributes:
            question = _last_question(attributes, convention)
            return question, _text(attributes, convention.output_contents, 0)
    return None


def _last_question(attributes: dict[str, Any], convention: _Convention) -> str:
    question, index = "", 0
    while (role := attributes.get(convention.input_role.format(index))) is not None:
        if role == "user":
            question = _text(attributes, convention.input_contents, index) or question
        index += 1
    return question


def _text(attributes: dict[str, Any], names: tuple[str, ...], index: int) -> str:
    values = (attributes.get(name.format(index)) for name in names)
    return next((value for value in values if value and isinstance(value, str)), "")
