"""Compares a call with and without instrumentation."""

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
    """What an application and a server see of a call."""

    result: str
    error: tuple[type[BaseException], str] | None
    requests: list[tuple[bytes, Mapping[str, str]]]
    warnings: list[str]


def assert_only_parts_are_lost(caplog: pytest.LogCaptureFixture) -> None:
    """Asserts that every logged error is about a part of a message or an argument.

    A response, a span or a batch must not be lost. The OTLP encoder logs values that it
    cannot encode.
    """
    for record in caplog.records:
        # The call without instrumentation goes to a host that is not configured.
        if record.name.startswith("opentelemetry") and "._endpoint" not in record.name:
            assert re.match(
                "DeepSeek telemetry was lost: reading ", record.getMessage()
            ), record.getMessage()


class Comparison:
    """Makes one call without and with instrumentation, which records all content."""

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

    def __call__(self, create_arguments: Callable[[], dict[str, Any]]) -> Outcome:
        expected = self._outcome(create_arguments)
        logger_provider = LoggerProvider()
        logger_provider.add_log_record_processor(SimpleLogRecordProcessor(self._logs))
        self._instrument("SPAN_AND_EVENT", logger_provider=logger_provider)
        outcome = self._outcome(create_arguments)
        assert outcome == expected
        # OTLP can encode every value.
        assert encode_spans([self.telemetry.span]).SerializeToString()
        assert encode_logs(self._logs.get_finished_logs()).SerializeToString()
        assert_only_parts_are_lost(self._caplog)
        return outcome

    def _outcome(self, create_arguments: Callable[[], dict[str, Any]]) -> Outcome:
        start = len(self._deepseek.exchanges)
        result, call_error = "", None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                result = repr(self._call(**create_arguments()))
            except RecursionError as error:
                # The message depends on the frame that exceeds the limit.
                call_error = (type(error), "")
            except Exception as error:  # noqa: BLE001  # every type is compared
                call_error = (type(error), _message(error))
        requests = [
            (e.request_body, e.request_headers)
            for e in self._deepseek.exchanges[start:]
        ]
        return Outcome(result, call_error, requests, [str(w.message) for w in caught])

    def content(self, name: str) -> Any:
        return json.loads(self.telemetry.span.attributes[f"gen_ai.{name}"])


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as str_error:  # noqa: BLE001  # as above
        return repr(type(str_error))
