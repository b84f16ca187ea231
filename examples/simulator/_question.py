"""Extraction of names, numbers, dates and quotations from a user message."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Capitalized at the start of a sentence, these words are not names.
_COMMON_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
    a about after all also am an and any are as at be before book bring buy by
    calculate can check compare compute convert could create day define describe dear
    did do does draft explain fetch find first for forecast from get give good hello
    help hey hi how i if in into is it its json just let list look lookup make may me
    my name next no not now of ok on once or our out plan please return say search
    second should show so solve somebody someone suggest summarise summarize take tell
    temperature thank thanks that the their then there these they this those time to
    today tomorrow translate two use using want was we weather were what when where
    whether which who why will with would write yes yesterday you your monday tuesday
    wednesday thursday friday saturday sunday
        """,
    )
)
_NAME = re.compile(
    r"[A-Z][\w'\u2019.-]*\w(?:\s+(?:(?:de|del|la|of|the)\s+)?[A-Z][\w'\u2019-]+)*"
)
_AFTER_PREPOSITION = re.compile(r"\b(?:in|for|at|from|to|of|near)\s+([a-z]{3,})\b")
_CHINESE_CITY = re.compile(
    "杭州|北京|上海|深圳|广州|成都|西安|南京|武汉|东京|巴黎|伦敦"
)
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")
_QUOTATION = re.compile(r"[\"“”`«»']([^\"“”`«»']{2,})[\"“”`«»']")
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_DAY = re.compile(
    r"\b(today|tonight|tomorrow|yesterday|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b",
    re.IGNORECASE,
)
_MAX_LENGTH = 2000  # characters
_CLAUSE = re.compile(r",|;|\band\b|\bor\b|\bvs\b|\bversus\b|[?.!](?:\s|$)|和|与|、")


@dataclass(frozen=True)
class Question:
    """The text of the last user message, or a clause of it."""

    text: str

    @property
    def _excerpt(self) -> str:
        """The start of the text: the search of a whole book would take too long."""
        return self.text[:_MAX_LENGTH]

    @property
    def words(self) -> set[str]:
        """The stems of its words."""
        return word_stems(self._excerpt.lower())

    @property
    def names(self) -> list[str]:
        """Proper names in their order, such as cities, people and products."""
        names = [_trim_common_words(name) for name in _NAME.findall(self._excerpt)]
        names += _CHINESE_CITY.findall(self._excerpt)
        if not any(names):
            lower_case_words = _AFTER_PREPOSITION.findall(self._excerpt)
            names = [w.title() for w in lower_case_words if w not in _COMMON_WORDS]
        return list(dict.fromkeys(name for name in names if name))

    def mentioned_names(self, names: list[str]) -> list[str]:
        """Returns the items of `names` that the text contains."""
        return [name for name in names if name.lower() in self._excerpt.lower()]

    @property
    def numbers(self) -> list[float | int]:
        without_dates = _DATE.sub(" ", self._excerpt)
        return [_parse_number(text) for text in _NUMBER.findall(without_dates)]

    @property
    def quotations(self) -> list[str]:
        return _QUOTATION.findall(self._excerpt)

    @property
    def day(self) -> str | None:
        """An ISO date, a weekday, or a word such as "tomorrow"; None without any."""
        match = _DATE.search(self._excerpt) or _DAY.search(self._excerpt)
        return match.group().lower() if match else None

    @property
    def clauses(self) -> list[Question]:
        texts = [text.strip() for text in _CLAUSE.split(self._excerpt)]
        return [Question(text) for text in texts if text]

    @property
    def topic(self) -> str:
        """The subject of the question, in a form that fits into a sentence."""
        text = re.sub(r"\s+", " ", self._excerpt.strip()).rstrip("?.! ")
        text = re.sub(
            r"^(?:(?:please|can you|could you|would you|tell me|explain|describe|write|"
            r"give me|show me|what is|what's|what are|who is|how do i|how does|how do|"
            r"how|why is|why are|why do|why does|why|about|me|us)\b\s*)+",
            "",
            text,
            flags=re.IGNORECASE,
        )
        words = text.split(" ")
        return " ".join(words[:8]) or "that"


def _trim_common_words(name: str) -> str:
    """Removes common words at both ends of `name`, and a final "'s"."""
    words = name.split()
    while words and words[0].lower().removesuffix("'s") in _COMMON_WORDS:
        words.pop(0)
    while words and words[-1].lower() in _COMMON_WORDS:
        words.pop()
    return re.sub(r"['\u2019]s$", "", " ".join(words))


def _parse_number(text: str) -> float | int:
    return float(text) if "." in text else int(text)


def _stem(word: str) -> str:
    # Short words such as "is" and "was" keep their s.
    return word[:-1] if word.endswith("s") and len(word) > 3 else word  # noqa: PLR2004


def word_stems(text: str) -> set[str]:
    """Returns the stems of the words in a sentence or in an identifier.

    Identifiers may be in snake case or in camel case.
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return {_stem(word) for word in re.findall(r"[a-z]+", spaced.lower())}
