"""What a question is about: the names, numbers and quotations in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Words that begin sentences with a capital and name nothing.
_NO_NAMES = frozenset(
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
_CITIES_ZH = re.compile("杭州|北京|上海|深圳|广州|成都|西安|南京|武汉|东京|巴黎|伦敦")
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")
_QUOTED = re.compile(r"[\"“”`«»']([^\"“”`«»']{2,})[\"“”`«»']")
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_DAY = re.compile(
    r"\b(today|tonight|tomorrow|yesterday|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b",
    re.IGNORECASE,
)
_LONG = 2000  # characters
_CLAUSE = re.compile(r",|;|\band\b|\bor\b|\bvs\b|\bversus\b|[?.!](?:\s|$)|和|与|、")


@dataclass(frozen=True)
class Question:
    """The text of the last user message, and what can be read from it."""

    text: str

    @property
    def _start(self) -> str:
        """What is looked at: a whole book takes too long."""
        return self.text[:_LONG]

    @property
    def words(self) -> set[str]:
        return words_of(self._start.lower())

    @property
    def names(self) -> list[str]:
        """Proper names in order: cities, people, things with a capital."""
        found = [_without_no_names(name) for name in _NAME.findall(self._start)]
        found += _CITIES_ZH.findall(self._start)
        if not any(found):
            lower = _AFTER_PREPOSITION.findall(self._start)
            found = [word.title() for word in lower if word not in _NO_NAMES]
        return list(dict.fromkeys(name for name in found if name))

    def mentions(self, names: list[str]) -> list[str]:
        """Those of `names` that are in it."""
        return [name for name in names if name.lower() in self._start.lower()]

    @property
    def numbers(self) -> list[float | int]:
        without_dates = _DATE.sub(" ", self._start)
        return [_number(n) for n in _NUMBER.findall(without_dates)]

    @property
    def quoted(self) -> list[str]:
        return _QUOTED.findall(self._start)

    @property
    def day(self) -> str | None:
        found = _DATE.search(self._start) or _DAY.search(self._start)
        return found.group().lower() if found else None

    @property
    def clauses(self) -> list[Question]:
        return [Question(c.strip()) for c in _CLAUSE.split(self._start) if c.strip()]

    @property
    def topic(self) -> str:
        """What it is about, to put into a sentence."""
        text = re.sub(r"\s+", " ", self._start.strip()).rstrip("?.! ")
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


def _without_no_names(name: str) -> str:
    words = name.split()
    while words and words[0].lower().removesuffix("'s") in _NO_NAMES:
        words.pop(0)
    while words and words[-1].lower() in _NO_NAMES:
        words.pop()
    return re.sub(r"['\u2019]s$", "", " ".join(words))


def _number(text: str) -> float | int:
    return float(text) if "." in text else int(text)


def _stem(word: str) -> str:
    # "is" and "was" stay.
    return word[:-1] if word.endswith("s") and len(word) > 3 else word  # noqa: PLR2004


def words_of(name: str) -> set[str]:
    """The words in `get_current_weather`, `getWeather` or a sentence."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return {_stem(word) for word in re.findall(r"[a-z]+", spaced.lower())}
