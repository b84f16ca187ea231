"""All scenarios, in the order of the table in docs/delivery.md."""

from __future__ import annotations

from typing import Final

from .http_instrumentations import HTTP_INSTRUMENTATIONS
from .outage_scenarios import OUTAGE_SCENARIOS
from .process_scenarios import PROCESS_SCENARIOS
from .response_scenarios import RESPONSE_SCENARIOS

# What other packages are needed for is tested separately.
TESTED_SCENARIOS: Final = (
    *OUTAGE_SCENARIOS,
    *RESPONSE_SCENARIOS,
    *PROCESS_SCENARIOS,
)
SCENARIOS: Final = (*TESTED_SCENARIOS, HTTP_INSTRUMENTATIONS)
