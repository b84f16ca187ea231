"""The cost of a trace: each call counts once, at the price of the call itself.

Several libraries may record one call: a framework, MLflow's autolog, and an
instrumentation of the SDK beneath them. MLflow's server takes the cost of the outermost
span that has tokens and a model. The innermost one knows which server was called, so
the spans around it get its cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.mlflow._pricing._call_cost import COST, CallCost

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.trace import ReadableSpan

# The name of the package, and of the scope of its spans.
DEEPSEEK_SCOPE = "opentelemetry.instrumentation.deepseek"

# Of the conventions from which MLflow's server reads token counts.
# https://github.com/mlflow/mlflow/tree/v3.17.2/mlflow/tracing/otel/translation
_USAGE_PREFIXES = (
    "gen_ai.usage.",
    "llm.token_count.",
    "llm.usage.",
    "mlflow.chat.tokenUsage",
)


@dataclass
class CallCosts:
    """The calls of a span and beneath it.

    `cost` is that of the calls whose cost the price list gives, None if there are none.
    `has_others`: there are calls whose cost MLflow computes.
    """

    cost: CallCost | None = None
    has_others: bool = False

    def add(self, other: CallCosts) -> None:
        if other.cost is not None:
            self.cost = self.cost.plus(other.cost) if self.cost else other.cost
        self.has_others |= other.has_others

    def add_enclosing_span(
        self, attributes: dict[str, Any], cost: CallCost | None, *, is_fluent: bool
    ) -> None:
        """Add the span above the calls, and write the cost that follows from them.

        `cost` is what the price list gives the span itself. The cost of a fluent span
        comes from MLflow's client.
        """
        if self.cost is None:
            if cost is not None:
                self.cost, self.has_others = cost, False
            else:
                self.has_others |= has_usage(attributes)
        elif cost is not None or (
            has_usage(attributes) and (is_fluent or COST not in attributes)
        ):
            # Without a cost of this span, MLflow adds up the costs of all calls
            # beneath it.
            total = CallCost(self.cost.model) if self.has_others else self.cost
            total.write_to(attributes)


def is_deepseek_call(span: ReadableSpan) -> bool:
    """Whether the instrumentation of this distribution recorded it."""
    scope = span.instrumentation_scope
    return scope is not None and scope.name == DEEPSEEK_SCOPE


def has_usage(attributes: Mapping[str, Any]) -> bool:
    return any(name.startswith(_USAGE_PREFIXES) for name in attributes)


def without_usage(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in attributes.items()
        if not name.startswith(_USAGE_PREFIXES)
    }
