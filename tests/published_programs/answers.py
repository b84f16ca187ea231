"""Answers of the simulated DeepSeek API."""

from __future__ import annotations

from typing import Final

SKY: Final = (
    "Air scatters short waves of light more than long ones. So the blue part of"
    " sunlight reaches us from all over the sky, and the sky looks blue."
)
WEATHER_IN_PARIS: Final = "In Paris it is 18 degrees in Paris."
