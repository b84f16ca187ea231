"""A pytest plugin that makes `import httpx` import httpx2."""

from __future__ import annotations

from httpx2 import alias_httpx

alias_httpx()
