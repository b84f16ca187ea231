"""Canned answers, each with the reasoning that precedes it."""

from __future__ import annotations

CAPITALS = {
    "australia": "Canberra",
    "brazil": "Brasília",
    "canada": "Ottawa",
    "china": "Beijing",
    "egypt": "Cairo",
    "england": "London",
    "france": "Paris",
    "germany": "Berlin",
    "india": "New Delhi",
    "italy": "Rome",
    "japan": "Tokyo",
    "kenya": "Nairobi",
    "norway": "Oslo",
    "spain": "Madrid",
    "switzerland": "Bern",
    "united states": "Washington, D.C.",
}

_QUICK_SORT_CODE = """\
```python
def quick_sort(items):
    if len(items) <= 1:
        return items
    pivot, *rest = items
    smaller = [x for x in rest if x < pivot]
    larger = [x for x in rest if x >= pivot]
    return quick_sort(smaller) + [pivot] + quick_sort(larger)
```"""
_FUNCTION_CODE = '''\
```python
def solve(values):
    """Go through the values once and keep what counts."""
    return [value for value in values if value is not None]
```'''

# Each row: a pattern for the question, the reasoning, the answer.
CANNED_ANSWERS = [
    (
        r"^\s*(hi|hello|hey|good (morning|evening))\b.{0,12}$",
        "A greeting. I should greet back and offer help.",
        "Hello! How can I help you today?",
    ),
    (
        r"^\s*(thanks?|thank you)\b",
        "The user is done, or nearly so. I should be brief.",
        "You're welcome! Is there anything else?",
    ),
    (
        r"who are you|what are you|which model",
        "The user wants to know what I am. I should be plain about it.",
        (
            "I am a simulator of DeepSeek's API. I speak its protocol, and know"
            " next to nothing about the world."
        ),
    ),
    (
        r"why is the sky blue",
        (
            "This is about scattering: shorter wavelengths scatter more. Violet"
            " scatters even more, but there is less of it and our eyes see it"
            " poorly."
        ),
        (
            "Air scatters short waves of light more than long ones. So the blue"
            " part of sunlight reaches us from all over the sky, and the sky looks"
            " blue."
        ),
    ),
    (
        r"infinite(ly)? (many )?primes?|primes? (are|is) infinite",
        "We need a proof. Start from Euclid's idea: multiply all primes, add one.",
        (
            "Suppose there were only finitely many primes. Multiply them all and"
            " add one: no prime on the list divides the result. So there is another"
            " one. ∎"
        ),
    ),
    (
        r"opentelemetry|\bspans?\b|\btrac(e|es|ing)\b",
        "The user asks about observability. A definition and one example will do.",
        (
            "A trace follows one request through everything it touches. Each step"
            " is a span with a start, an end and attributes. OpenTelemetry is the"
            " common language in which programs report them."
        ),
    ),
    (
        r"\bjoke\b",
        "A joke, short and harmless. Observability may be a good subject.",
        "Why did the span go home early? Its parent had already ended.",
    ),
    (
        r"\b(haiku|poem)\b",
        "Five, seven and five syllables, and a turn at the end.",
        "A call leaves at dawn,\ntokens drift back one by one:\nthe trace remembers.",
    ),
    (
        r"\bstory\b",
        "A beginning, a trouble and an end, in four sentences.",
        (
            "Once there was a request that nobody watched. It waited, it was"
            " retried, and it came back late. The next day somebody gave it a span."
            " At last everyone could see where the time had gone."
        ),
    ),
    (
        r"quick ?sort",
        "Quick sort: take a pivot, split the rest, sort both parts the same way.",
        _QUICK_SORT_CODE,
    ),
    (
        r"\b(function|script|code|program)\b",
        "Code is wanted. A small function shows the idea best.",
        _FUNCTION_CODE,
    ),
    (
        r"weather|forecast|temperature",
        "I have no tool that tells the weather, and I must not guess it.",
        "I cannot see outside from here. Give me a weather tool and I will use it.",
    ),
]
