from __future__ import annotations

import pytest

from opentelemetry.instrumentation.deepseek._suppress import suppress_errors


@pytest.mark.internal_error
def test_a_failure_is_told_once_and_without_its_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for _ in range(3):
        with suppress_errors("reading a test"):
            raise ValueError("what the caller asked")
    with suppress_errors("reading a test"):
        raise KeyError("another kind")

    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    first, second = caplog.messages
    assert first.startswith(
        "DeepSeek telemetry was lost: reading a test failed with ValueError at "
    )
    assert "KeyError" in second
    assert "what the caller asked" not in caplog.text


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit, SystemExit])
def test_what_is_not_an_error_of_ours_goes_on(error: type[BaseException]) -> None:
    with pytest.raises(error), suppress_errors("reading a test"):
        raise error
