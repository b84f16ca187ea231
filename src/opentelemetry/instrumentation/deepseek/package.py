"""The packages that are instrumented, in the form that `BaseInstrumentor` expects."""

from __future__ import annotations

from typing import Final

# The extras `openai` and `anthropic` in pyproject.toml have the same requirements; a
# test compares them. One of the two packages is enough.
_instruments: Final = ("openai >= 1.92, < 4",)
anthropic_instruments: Final = ("anthropic >= 0.60, < 3",)
