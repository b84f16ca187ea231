"""OpenTelemetry for DeepSeek, called through an SDK or an HTTP client.

Every chat completion, text completion (FIM), response and message becomes one span that
follows the GenAI semantic conventions, whether the program uses the `openai` or the
`anthropic` SDK, litellm, DSPy, `httpx`, `httpx2`, `requests` or `aiohttp`::

    from openai import OpenAI
    from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

    DeepSeekInstrumentor().instrument()

    client = OpenAI(base_url="https://api.deepseek.com", api_key=...)
    client.chat.completions.create(
        model="deepseek-flash",
        messages=[{"role": "user", "content": "Why is the sky blue?"}],
    )

`opentelemetry-instrument python app.py` does the same without a change to the code.

Calls to other hosts are not instrumented. To instrument a proxy or gateway that serves
DeepSeek's API, name its host in `OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS` or pass
`instrument(hosts=[...])`.

Prompts, reasoning, answers and tools are recorded only if
`OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` is `SPAN_ONLY`, `EVENT_ONLY` or
`SPAN_AND_EVENT`.
"""

from __future__ import annotations

from opentelemetry.instrumentation.exit_flush._stderr_handler import add_stderr_handler

from ._instrumentor import DeepSeekInstrumentor

__all__ = ["DeepSeekInstrumentor"]

add_stderr_handler(__name__)
