"""Answers to the few questions that the simulator knows, and a default answer."""

from __future__ import annotations

import ast
import operator
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ._canned_answers import CANNED_ANSWERS, CAPITALS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._question import Question


class ReasonedAnswer(NamedTuple):
    reasoning: str
    answer: str


def answer_question(question: Question) -> ReasonedAnswer:
    """Returns the correct answer to a known question, or else a general one."""
    for answer_source in (_arithmetic, _letter_count, _capital, _canned_answer):
        if answer := answer_source(question):
            return answer
    return ReasonedAnswer(
        f"This is an open question: {question.topic}. I should not invent facts. What"
        " helps is to say how to decide it.",
        f"On {question.topic}: it depends on what you need it for. Three questions"
        " decide it: who will use the result, what it may cost, and how you will see"
        " that it works. Answer those first; the rest is detail.",
    )


def _canned_answer(question: Question) -> ReasonedAnswer | None:
    for pattern, reasoning, answer in CANNED_ANSWERS:
        if re.search(pattern, question.text, re.IGNORECASE):
            return ReasonedAnswer(reasoning, answer)
    return None


def _capital(question: Question) -> ReasonedAnswer | None:
    pattern = r"capital (?:city )?of (?:the )?([\w ]+)"
    match = re.search(pattern, question.text, re.IGNORECASE)
    country = match[1].strip().lower() if match else ""
    if country not in CAPITALS:
        return None
    capital = CAPITALS[country]
    return ReasonedAnswer(
        f"A capital is asked for. For {country.title()} that is {capital}.",
        f"The capital of {country.title()} is {capital}.",
    )


def _letter_count(question: Question) -> ReasonedAnswer | None:
    match = re.search(
        r"how many (\w)(?:['\u2019]?s)?\b.*?\bin (?:the word )?[\"'“]?(\w+)",
        question.text,
        re.IGNORECASE,
    )
    if not match:
        return None
    letter, word = match[1].lower(), match[2]
    positions = [
        str(position)
        for position, character in enumerate(word.lower(), 1)
        if character == letter
    ]
    spelling = "-".join(word.lower())
    locations = f"It is at {', '.join(positions)}." if positions else "It is nowhere."
    count = len(positions)
    plural_suffix = "" if count == 1 else "'s"
    return ReasonedAnswer(
        f"We need to count the letter {letter} in {word}: {spelling}. {locations}"
        f" So {count}.",
        f'The word "{word}" contains **{count}** {letter}{plural_suffix}.',
    )


def _arithmetic(question: Question) -> ReasonedAnswer | None:
    pattern = r"[\d(][\d\s.+*/x\u00d7÷()-]*[+*/x\u00d7÷-][\d\s.+*/x\u00d7÷()-]*[\d)]"
    match = re.search(pattern, question.text[:_MAX_EXPRESSION_TEXT_LENGTH])
    if not match:
        return None
    expression = match.group().strip()
    source = expression.replace("x", "*").replace("\u00d7", "*").replace("÷", "/")
    try:
        value = _evaluate(ast.parse(source, mode="eval").body)
    except (SyntaxError, TypeError, KeyError, ArithmeticError):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return ReasonedAnswer(
        f"This is arithmetic: {expression}. Step by step that makes {value}.",
        f"{expression} = {value}",
    )


# In characters. The pattern backtracks, so a search of a long text would be slow.
_MAX_EXPRESSION_TEXT_LENGTH = 200
_OPERATIONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,  # pyright: ignore[reportUnknownMemberType]  # typeshed
}


def _evaluate(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATIONS[type(op)](_evaluate(left), _evaluate(right))
        case _:
            raise TypeError
