"""The error for a package that is not installed, with the command that installs it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator


class MissingPackageError(ModuleNotFoundError):
    """A package is not installed. `cause` says which, and `advice` what to do.

    It is a ModuleNotFoundError because `opentelemetry-instrument` skips an
    instrumentation that raises one.
    """

    def __init__(self, cause: str, advice: str, name: str | None = None) -> None:
        super().__init__(f"{cause}: {advice}", name=name)
        self.cause = cause
        self.advice = advice

    def copy(self) -> MissingPackageError:
        """Return a new error: each `raise` makes the traceback of one longer."""
        return MissingPackageError(self.cause, self.advice, self.name)


def install_command(extra: str) -> str:
    return f"pip install 'opentelemetry-instrumentation-deepseek[{extra}]'"


@contextmanager
def require_extra(extra: str, purpose: str) -> Generator[None]:
    """Raise MissingPackageError if an import in this context fails.

    The packages of `extra` are sufficient for the imports. `purpose` is the subject of
    the error message.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"{purpose} requires the module {error.name}, which is not installed",
            install_command(extra),
            error.name,
        ) from error
