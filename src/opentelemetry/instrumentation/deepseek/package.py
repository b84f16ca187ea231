"""The packages that are instrumented, in the form that `BaseInstrumentor` expects."""

from __future__ import annotations

from typing import Final

# The `openai` extra in pyproject.toml has the same requirement; a test compares them.
_instruments: Final = ("openai >= 1.92, < 4",)
