"""Environment variables of the instrumentation.

Whether message content is recorded is a setting of all GenAI instrumentations,
`OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`:
https://github.com/open-telemetry/opentelemetry-python-genai/tree/main/util/opentelemetry-util-genai
"""

from __future__ import annotations

from typing import Final

OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS: Final = "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS"
"""
Proxies and gateways that serve DeepSeek's API: `host` or `host:port`, separated by
commas. `host=provider` is a host of another provider that serves DeepSeek's models:
spans have its name, and no prices of DeepSeek. `*` means calls of DeepSeek's models at
every host. `*.deepseek.com` is always included.
"""

OTEL_INSTRUMENTATION_DEEPSEEK_METRICS: Final = "OTEL_INSTRUMENTATION_DEEPSEEK_METRICS"
"""
Names of the metrics. `released` (the default) uses the names of other released
instrumentations, for example `gen_ai.client.operation.duration`. `latest` uses the
names on the conventions' main branch, for example `gen_ai.client.inference.duration`,
and adds counters of cached and reasoning tokens.
"""
