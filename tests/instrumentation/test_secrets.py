"""No signal contains credentials, with and without content capture."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import openai
import pytest
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import (
    InMemoryLogRecordExporter,
    SimpleLogRecordProcessor,
)
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.trace import StatusCode

from examples.simulator import RecordedResponse

from .conftest import CHAT, SAMPLES, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .conftest import Telemetry

# No two secrets have four characters in common. DeepSeek quotes the last four of a key.
SECRETS = {
    "key": "sk-abcdefgh12345678qrst",
    "gateway key": "gw.QWERTZU/9876+lkjh==",
    "organization": "org-poiuztre",
    "header": "HHxx-extra-TTWX",
    "default header": "JJyy-default-UUVX",
    "query": "KKzz-query-WWKX",
    "default query": "MMvv-defquery-ZZKX",
    "user": "NNuu-ada-QQLX",
    "password": "PPtt-hunter2-RRMX",
}


class RecordedSignals:
    """All telemetry and log lines, as bytes."""

    def __init__(self, telemetry: Telemetry, caplog: pytest.LogCaptureFixture) -> None:
        self._telemetry, self._caplog = telemetry, caplog
        self._logs, self._metrics = InMemoryLogRecordExporter(), InMemoryMetricReader()
        self.logger_provider = LoggerProvider()
        self.logger_provider.add_log_record_processor(
            SimpleLogRecordProcessor(self._logs)
        )
        self.meter_provider = MeterProvider(metric_readers=[self._metrics])

    @property
    def bytes(self) -> bytes:
        spans = self._telemetry.spans
        metrics = self._metrics.get_metrics_data()
        assert spans
        assert metrics
        log_lines = [
            logging.Formatter().format(record)
            for record in self._caplog.records
            if record.name.startswith("opentelemetry")
        ]
        return b"".join(
            [
                encode_spans(spans).SerializeToString(),
                *(span.to_json().encode() for span in spans),
                encode_logs(self._logs.get_finished_logs()).SerializeToString(),
                encode_metrics(metrics).SerializeToString(),
                *(line.encode() for line in log_lines),
            ]
        )

    def leaked_secrets(self) -> list[str]:
        recorded = self.bytes
        return [
            name
            for name, secret in SECRETS.items()
            if any(
                part.encode() in recorded for part in (secret, secret[-8:], secret[-4:])
            )
        ]


@pytest.fixture(params=["", "SPAN_AND_EVENT"])
def signals(
    request: pytest.FixtureRequest,
    instrument: Callable[..., None],
    telemetry: Telemetry,
    caplog: pytest.LogCaptureFixture,
) -> RecordedSignals:
    caplog.set_level(logging.DEBUG, "opentelemetry")
    signals = RecordedSignals(telemetry, caplog)
    instrument(
        request.param,
        logger_provider=signals.logger_provider,
        meter_provider=signals.meter_provider,
    )
    return signals


def call_with_secrets(
    base_url: str, *, key: str = "key", in_url: bool = False, stream: bool = False
) -> Any:
    """Makes a call with every secret.

    With `in_url` the URL has a user and a password, which replace the key.
    """
    if in_url:
        user = f"{SECRETS['user']}:{SECRETS['password']}@"
        base_url = base_url.replace("//", f"//{user}")
    with openai.OpenAI(
        base_url=base_url,
        api_key=SECRETS[key],
        organization=SECRETS["organization"],
        default_headers={"X-Default": SECRETS["default header"]},
        default_query={"default": SECRETS["default query"]},
        max_retries=0,
    ) as client:
        result = client.chat.completions.create(
            **CHAT,
            stream=stream,
            extra_headers={"X-Extra": SECRETS["header"]},
            extra_query={"extra": SECRETS["query"]},
        )
        return list(result) if stream else result


@pytest.mark.parametrize("in_url", [False, True])
@pytest.mark.parametrize("stream", [False, True])
def test_successful_call_records_no_secret(
    signals: RecordedSignals, deepseek: Simulator, stream: bool, in_url: bool
) -> None:
    name = "stream_thinking.sse" if stream else "chat_thinking.json"
    deepseek.answer_next(sample(name))

    call_with_secrets(deepseek.base_url, stream=stream, in_url=in_url)

    sent = (
        json.dumps(dict(deepseek.exchanges[0].request_headers))
        + deepseek.exchanges[0].path
    )
    names = ["header", "default header", "organization"] + ["key"] * (not in_url)
    assert all(SECRETS[name] in sent for name in names)
    assert signals.leaked_secrets() == []


def error_message(secret: str) -> str:
    return (
        f"Authentication Fails, {secret} is invalid: ask {secret!r}. or Bearer {secret}"
    )


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("stream", [False, True])
def test_secret_quoted_in_an_error_reaches_the_caller_only(
    signals: RecordedSignals,
    deepseek: Simulator,
    telemetry: Telemetry,
    secret: str,
    stream: bool,
) -> None:
    message = error_message(SECRETS[secret])
    error = json.dumps({"error": {"message": message, "code": "invalid_request_error"}})
    response = (
        RecordedResponse(
            headers={"content-type": "text/event-stream"},
            body=sample("stream_plain.sse").parts[0] + f"data: {error}\n\n".encode(),
        )
        if stream
        else RecordedResponse(401, {"content-type": "application/json"}, error.encode())
    )
    deepseek.answer_next(response)

    with pytest.raises(openai.APIError) as raised:
        call_with_secrets(
            deepseek.base_url,
            key="gateway key" if secret == "gateway key" else "key",
            in_url=secret in ("user", "password"),
            stream=stream,
        )

    assert SECRETS[secret] in str(raised.value)
    assert "Authentication Fails, [redacted] is" in telemetry.span.status.description
    assert signals.leaked_secrets() == []


def test_last_characters_of_a_key_in_a_401_are_redacted(
    signals: RecordedSignals, deepseek: Simulator
) -> None:
    body = (SAMPLES / "error_401_bad_key.json").read_bytes()
    assert body.count(b"****0000") == 1
    body = body.replace(b"0000", SECRETS["key"][-4:].encode())
    deepseek.answer_next(
        RecordedResponse(401, {"content-type": "application/json"}, body)
    )

    with pytest.raises(openai.AuthenticationError, match=SECRETS["key"][-4:]):
        call_with_secrets(deepseek.base_url)

    assert signals.leaked_secrets() == []


@pytest.mark.parametrize("path", ["", f"/v1?token={SECRETS['query']}"])
def test_connection_error_records_no_url_credentials(
    signals: RecordedSignals, telemetry: Telemetry, path: str
) -> None:
    with pytest.raises(openai.APIConnectionError):
        call_with_secrets(f"http://127.0.0.1:9{path}", in_url=True)

    assert telemetry.span.attributes["server.address"] == "127.0.0.1"
    assert signals.leaked_secrets() == []


def test_key_that_is_an_invalid_header_is_not_recorded(
    signals: RecordedSignals, deepseek: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A key that was read from a file with its newline. The HTTP library quotes it.
    monkeypatch.setitem(SECRETS, "key", SECRETS["key"] + "\n")
    with pytest.raises(openai.APIConnectionError) as raised:
        call_with_secrets(deepseek.base_url)
    assert SECRETS["key"].strip() in str(raised.value.__cause__)
    monkeypatch.undo()

    assert signals.leaked_secrets() == []


def test_message_and_traceback_of_an_application_error_are_not_recorded(
    signals: RecordedSignals, deepseek: Simulator, telemetry: Telemetry
) -> None:
    def messages() -> Any:
        yield from ()
        raise ValueError(f"no messages for {SECRETS['key']}")

    with (
        openai.OpenAI(base_url=deepseek.base_url, api_key=SECRETS["key"]) as client,
        pytest.raises(ValueError, match="no messages"),
    ):
        client.chat.completions.create(model="deepseek-flash", messages=messages())

    assert telemetry.span.status.status_code is StatusCode.ERROR
    assert telemetry.span.events == ()
    assert signals.leaked_secrets() == []


@pytest.mark.internal_error
def test_log_of_an_internal_error_has_no_secret(
    signals: RecordedSignals, deepseek: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    class RaisingDict(dict[str, Any]):
        def get(self, *_: Any) -> Any:
            raise ValueError(SECRETS["key"])

    deepseek.answer_next(sample("chat_plain.json"))
    with openai.OpenAI(base_url=deepseek.base_url, api_key=SECRETS["key"]) as client:
        client.chat.completions.create(
            model="deepseek-flash",
            messages=[],
            response_format=RaisingDict(type="text"),  # type: ignore[arg-type]
        )

    assert "DeepSeek telemetry was lost" in caplog.text
    assert signals.leaked_secrets() == []
