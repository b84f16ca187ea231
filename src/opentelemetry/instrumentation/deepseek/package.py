"""What is instrumented, as `BaseInstrumentor` asks for it."""

from __future__ import annotations

from typing import Final

# The `instruments` extra in pyproject.toml says the same; a test compares them.
_instruments: Final = ("openai >= 1.92, < 4",)
