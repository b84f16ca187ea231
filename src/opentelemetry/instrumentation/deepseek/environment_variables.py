"""Settings of the instrumentation.

What to record of a message is GenAI's own setting,
`OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`:
https://pypi.org/project/opentelemetry-util-genai/
"""

from __future__ import annotations

from typing import Final

OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS: Final = "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS"
"""
Proxies and gateways that speak DeepSeek's API: `host` or `host:port`, separated by
commas; `*` means every host. `*.deepseek.com` is always included.
"""
