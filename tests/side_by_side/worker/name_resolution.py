"""Resolves api.deepseek.com to this machine, and no other name.

Instrumentations derive the provider and the address from the host of the client, so the
client has to have DeepSeek's.
"""

from __future__ import annotations

import socket
from typing import Any, Final

DEEPSEEK_HOST: Final = "api.deepseek.com"
_LOOPBACK: Final = "127.0.0.1"
_LOCAL_HOSTS: Final = (None, "", "localhost", "0.0.0.0", _LOOPBACK, "::1")


def resolve_deepseek_to_loopback() -> list[str]:
    """Returns a list that gets the names of the other hosts that are looked up."""
    other_hosts: list[str] = []
    getaddrinfo: Any = socket.getaddrinfo

    def resolve(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name == DEEPSEEK_HOST:
            return getaddrinfo(_LOOPBACK, *args, **kwargs)
        if name not in _LOCAL_HOSTS:
            other_hosts.append(name)
            raise socket.gaierror(f"{name} is not resolved")
        return getaddrinfo(host, *args, **kwargs)

    socket.getaddrinfo = resolve
    return other_hosts
