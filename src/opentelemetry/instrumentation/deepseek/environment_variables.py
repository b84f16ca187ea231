"""Settings of the instrumentation.

What to record of a message is GenAI's own setting,
`OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`:
https://github.com/open-telemetry/opentelemetry-python-genai/tree/main/util/opentelemetry-util-genai
"""

from __future__ import annotations

from typing import Final

OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS: Final = "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS"
"""
Proxies and gateways that speak DeepSeek's API: `host` or `host:port`, separated by
commas; `*` means every host. `*.deepseek.com` is always included.
"""

OTEL_INSTRUMENTATION_DEEPSEEK_METRICS: Final = "OTEL_INSTRUMENTATION_DEEPSEEK_METRICS"
"""
Names of the metrics: `released` (the default: `gen_ai.client.operation.duration`, …, as
other instrumentations have them), or `latest` (the conventions' main branch:
`gen_ai.client.inference.duration`, …, and counters of cached and reasoning tokens).
"""
