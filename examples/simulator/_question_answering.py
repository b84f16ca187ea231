"""The little the simulator knows, and how it came to think so."""

from __future__ import annotations

import ast
import operator
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ._canned_answers import CAPITALS, FACTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._question import Question


class Thought(NamedTuple):
    reasoning: str
    answer: str


def thought_on(question: Question) -> Thought:
    """Right answers to a few things; a sensible word on everything else."""
    for known in (_sum, _letters, _capital, _fact):
        if thought := known(question):
            return thought
    return Thought(
        f"This is an open question: {question.topic}. I should not invent facts. What"
        " helps is to say how to decide it.",
        f"On {question.topic}: it depends on what you need it for. Three questions"
        " decide it: who will use the result, what it may cost, and how you will see"
        " that it works. Answer those first; the rest is detail.",
    )


def _fact(question: Question) -> Thought | None:
    for pattern, reasoning, answer in FACTS:
        if re.search(pattern, question.text, re.IGNORECASE):
            return Thought(reasoning, answer)
    return None


def _capital(question: Question) -> Thought | None:
    pattern = r"capital (?:city )?of (?:the )?([\w ]+)"
    found = re.search(pattern, question.text, re.IGNORECASE)
    country = found[1].strip().lower() if found else ""
    if country not in CAPITALS:
        return None
    capital = CAPITALS[country]
    return Thought(
        f"A capital is asked for. For {country.title()} that is {capital}.",
        f"The capital of {country.title()} is {capital}.",
    )


def _letters(question: Question) -> Thought | None:
    found = re.search(
        r"how many (\w)(?:['\u2019]?s)?\b.*?\bin (?:the word )?[\"'“]?(\w+)",
        question.text,
        re.IGNORECASE,
    )
    if not found:
        return None
    letter, word = found[1].lower(), found[2]
    places = [str(n) for n, one in enumerate(word.lower(), 1) if one == letter]
    spelt = "-".join(word.lower())
    where = f"It is at {', '.join(places)}." if places else "It is nowhere."
    plural = "" if len(places) == 1 else "'s"
    return Thought(
        f"We need to count the letter {letter} in {word}: {spelt}. {where}"
        f" So {len(places)}.",
        f'The word "{word}" contains **{len(places)}** {letter}{plural}.',
    )


def _sum(question: Question) -> Thought | None:
    pattern = r"[\d(][\d\s.+*/x\u00d7÷()-]*[+*/x\u00d7÷-][\d\s.+*/x\u00d7÷()-]*[\d)]"
    found = re.search(pattern, question.text[:_LONGEST])
    if not found:
        return None
    text = found.group().strip()
    source = text.replace("x", "*").replace("\u00d7", "*").replace("÷", "/")
    try:
        value = _value(ast.parse(source, mode="eval").body)
    except (SyntaxError, TypeError, KeyError, ArithmeticError):
        return None
    shown = int(value) if isinstance(value, float) and value.is_integer() else value
    return Thought(
        f"This is arithmetic: {text}. Step by step that makes {shown}.",
        f"{text} = {shown}",
    )


_LONGEST = 200  # characters: the pattern looks at each more than once
_OPERATIONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,  # pyright: ignore[reportUnknownMemberType]  # typeshed
}


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATIONS[type(op)](_value(left), _value(right))
        case _:
            raise TypeError
