"""The lines that the command prints, one for each check."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from opentelemetry.exporter.mlflow._destinations import ExportError

if TYPE_CHECKING:
    from collections.abc import Generator

_UNEXPECTED_ADVICE: Final = "Please report it, with the versions of the packages"


class Report:
    """Prints the results, and knows whether a check has failed."""

    def __init__(self) -> None:
        self.has_failure = False

    def ok(self, check: str, text: str) -> None:
        self._print("ok", check, text)

    def skipped(self, check: str, text: str) -> None:
        self._print("skipped", check, text)

    def failed(self, check: str, text: str) -> None:
        self.has_failure = True
        self._print("failed", check, text)

    @contextmanager
    def check(self, name: str) -> Generator[None]:
        """Print a failure if there is an exception in this context, and suppress it."""
        try:
            yield
        except ExportError as error:
            self.failed(name, f"{error.cause}. {error.advice}")
        except (ImportError, ValueError) as error:  # an invalid setting
            self.failed(name, str(error))
        except Exception as error:  # noqa: BLE001  # the other checks may help
            # The message may contain secrets.
            self.failed(
                name, f"an unexpected {type(error).__name__}. {_UNEXPECTED_ADVICE}"
            )

    def _print(self, outcome: str, check: str, text: str) -> None:
        line = f"{outcome:8} {check}: {' '.join(text.split())}"
        # Each line is shown at once: the next check may wait for a server.
        print(line, flush=True)  # noqa: T201  # a command
