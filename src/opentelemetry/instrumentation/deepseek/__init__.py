"""OpenTelemetry for DeepSeek, called through the `openai` SDK.

Every chat, text completion (FIM) and response becomes one span in the words of the
GenAI semantic conventions::

    from openai import OpenAI
    from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

    DeepSeekInstrumentor().instrument()

    client = OpenAI(base_url="https://api.deepseek.com", api_key=...)
    client.chat.completions.create(
        model="deepseek-flash",
        messages=[{"role": "user", "content": "Why is the sky blue?"}],
    )

or, without a line of code, `opentelemetry-instrument python app.py`.

Calls to other hosts are left alone. A proxy or gateway that speaks DeepSeek's API is
named in `OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS`, or as `instrument(hosts=[...])`.

Prompts, reasoning, answers and tools are recorded only when
`OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` says so: `SPAN_ONLY`, `EVENT_ONLY`
or `SPAN_AND_EVENT`.
"""

from __future__ import annotations

from ._instrumentor import DeepSeekInstrumentor

__all__ = ["DeepSeekInstrumentor"]
