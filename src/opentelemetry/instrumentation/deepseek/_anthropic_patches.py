"""The functions of Anthropic's SDK, and of its official instrumentation, to patch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ._anthropic_client import (
    ANTHROPIC_CLIENT_MODULE,
    is_supported_version,
    request_wrappers,
)
from ._anthropic_coexistence import (
    ANTHROPIC_INSTRUMENTATION_MODULE,
    CREATE_INVOCATION,
    invocation_wrapper,
)
from ._patch import Patch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from ._endpoint import DeepSeekHosts
    from ._signals import Signals

MODULES: Final = frozenset({ANTHROPIC_CLIENT_MODULE, ANTHROPIC_INSTRUMENTATION_MODULE})


def patches_of(
    module: ModuleType, hosts: DeepSeekHosts, signals: Callable[[], Signals]
) -> Iterator[Patch]:
    """Yields the patches of an imported module of MODULES."""
    if not is_supported_version():
        return
    if module.__name__ == ANTHROPIC_INSTRUMENTATION_MODULE:
        yield Patch(module, CREATE_INVOCATION, invocation_wrapper(hosts))
    if module.__name__ == ANTHROPIC_CLIENT_MODULE:
        wrappers = request_wrappers(hosts, signals())
        for prefix, wrapper in zip(("Sync", "Async"), wrappers, strict=True):
            yield Patch(getattr(module, prefix + "APIClient"), "request", wrapper)
