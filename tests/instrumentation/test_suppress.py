from __future__ import annotations

import pytest

from opentelemetry.instrumentation.deepseek._suppress import suppress_errors


@pytest.mark.internal_error
def test_error_is_logged_once_and_without_its_message(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for _ in range(3):
        with suppress_errors("reading a test"):
            raise ValueError("a question of the user")
    with suppress_errors("reading a test"):
        raise KeyError("an error of another type")

    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    first, second = caplog.messages
    assert first.startswith(
        "DeepSeek telemetry was lost: reading a test failed with ValueError at "
    )
    assert "KeyError" in second
    assert "a question of the user" not in caplog.text


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit, SystemExit])
def test_base_exception_is_not_suppressed(error: type[BaseException]) -> None:
    with pytest.raises(error), suppress_errors("reading a test"):
        raise error
