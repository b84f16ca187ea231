"""HTTP libraries that the exporter uses are instrumented, and its log is exported."""

from __future__ import annotations

from typing import Final

from .faults import Randomly, Respond
from .outcome import ALL_ARRIVE, COUNTED, ONCE, log_records_at_most
from .run import Run
from .scenario import Scenario

# The application logs a line for each span; the exporter logs a cause once.
_RUN: Final = Run(
    (),
    lambda: Randomly(0.3, (Respond(503),)),
    settings={"OTEL_BSP_SCHEDULE_DELAY": "200"},
    module="feedback",
    stores_spans=False,
    drain_seconds=10,
)

HTTP_INSTRUMENTATIONS: Final = Scenario(
    "http-instrumentations",
    "`requests`, `urllib3` and `httpx` are instrumented, logs are exported to the same"
    " server, and 30 % of the exports are answered by 503",
    (ALL_ARRIVE, ONCE, COUNTED, log_records_at_most(320)),
    full=_RUN,
    short=_RUN,
)
