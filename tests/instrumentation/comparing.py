"""The same call without us and with us: no caller and no server may see which."""

from __future__ import annotations

import json
import re
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import (
    InMemoryLogRecordExporter,
    SimpleLogRecordProcessor,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pytest

    from examples.simulator import Simulator

    from .conftest import Telemetry


class Outcome(NamedTuple):
    """What a caller and a server see of a call."""

    returned: str
    raised: tuple[type[BaseException], str] | None
    sent: list[tuple[bytes, Mapping[str, str]]]
    warned: list[str]


def assert_only_parts_are_lost(caplog: pytest.LogCaptureFixture) -> None:
    """A part may be, and is told; an answer, a span or a batch may not.

    What OTLP cannot carry, its encoder tells in the log.
    """
    for record in caplog.records:
        if record.name.startswith("opentelemetry"):
            assert re.match(
                "DeepSeek telemetry was lost: reading ",
                record.getMessage(),
            ), record.getMessage()


class Compared:
    """One call without us, and the same with us, all content recorded."""

    def __init__(
        self,
        call: Callable[..., Any],
        instrument: Callable[..., None],
        deepseek: Simulator,
        telemetry: Telemetry,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        self._call, self._instrument = call, instrument
        self._deepseek, self.telemetry, self._caplog = deepseek, telemetry, caplog
        self._logs = InMemoryLogRecordExporter()

    def __call__(self, made: Callable[[], dict[str, Any]]) -> Outcome:
        bare = self._outcome(made)
        logger_provider = LoggerProvider()
        logger_provider.add_log_record_processor(SimpleLogRecordProcessor(self._logs))
        self._instrument("SPAN_AND_EVENT", logger_provider=logger_provider)
        observed = self._outcome(made)
        assert observed == bare
        # Nothing in them but what OTLP can carry.
        assert encode_spans([self.telemetry.span]).SerializeToString()
        assert encode_logs(self._logs.get_finished_logs()).SerializeToString()
        assert_only_parts_are_lost(self._caplog)
        return observed

    def _outcome(self, made: Callable[[], dict[str, Any]]) -> Outcome:
        before = len(self._deepseek.exchanges)
        returned, raised = "", None
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            try:
                returned = repr(self._call(**made()))
            except RecursionError as error:
                # Which frame is one too many, its words say.
                raised = (type(error), "")
            except Exception as error:  # noqa: BLE001  # of any kind, it is compared
                raised = (type(error), _words(error))
        sent = [(e.body, e.headers) for e in self._deepseek.exchanges[before:]]
        return Outcome(returned, raised, sent, [str(w.message) for w in warned])

    def content(self, name: str) -> Any:
        return json.loads(self.telemetry.span.attributes[f"gen_ai.{name}"])


def _words(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as unsayable:  # noqa: BLE001  # as above
        return repr(type(unsayable))
