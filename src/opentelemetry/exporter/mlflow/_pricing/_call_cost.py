"""The cost of model calls, and the attributes from which MLflow reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import MutableMapping

COST = "mlflow.llm.cost"
MODEL = "mlflow.llm.model"

# MLflow's server computes the cost of a span that has tokens, a model and no cost, from
# its own catalogue of models. It ignores who served the model: if the catalogue does
# not have the provider, the first provider with a model of that name counts. The server
# cannot be told that a cost is unknown. An empty cost counts as 0 in the cost of the
# trace, and hides the costs of the spans beneath; anything else that is not an object
# makes the server refuse the request. But no catalogue has a model of this name. The
# attributes of the conventions keep the name of the model.
# https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/tracing/otel/translation/__init__.py
NO_PRICE = " (no price)"


class CallCost(NamedTuple):
    """What calls of a model cost in USD; `is_known` is False if no price is known."""

    model: str
    input: float = 0.0
    output: float = 0.0
    total: float = 0.0
    is_known: bool = False

    def plus(self, other: CallCost) -> CallCost:
        """The sum of the known costs."""
        return CallCost(
            self.model,
            self.input + other.input,
            self.output + other.output,
            self.total + other.total,
            self.is_known or other.is_known,
        )

    def write_to(self, attributes: MutableMapping[str, Any]) -> None:
        """Write the cost to the attributes of a span, in place of an earlier one."""
        model = str(attributes.get(MODEL, self.model)).removesuffix(NO_PRICE)
        if not self.is_known:
            attributes.pop(COST, None)
            attributes[MODEL] = model + NO_PRICE
            return
        if MODEL in attributes:
            attributes[MODEL] = model
        # A JSON encoder takes longer than the whole computation of the cost.
        attributes[COST] = (
            f'{{"input_cost": {self.input}, '
            f'"output_cost": {self.output}, '
            f'"total_cost": {self.total}}}'
        )
