"""What describes the tests of a client."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from ._subjects import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from ._subjects import Subject


@dataclass(frozen=True, eq=False)
class Suite:
    """The tests of a client.

    Attributes:
        client: The distribution that is tested.
        archive: The distribution whose source archive has the tests.
        versions: The version of the archive, for example `3.*`.
        extra: The extra of this package that the client needs.
        requirements: Returns what the tests require, of the unpacked archive.
        instrumented: The module and the qualified name of each method that is
            instrumented; the pass-through wraps these.
        calls: Matches the text of a test file that uses the instrumented methods.
        folder_of_calls: The folder of which only such files run.
        pytest_options: Options that the tests need.
        parallel: Whether the tests can run in several processes.
        own_scope: The instrumentation scope of spans that the client makes itself.
        differences: The ids of the tests that can tell that a request is recorded. An
            id without parameters stands for all of them.
        peers: Instrumentations of other projects for the client.
    """

    client: str
    archive: str
    versions: str
    requirements: Callable[[Path], list[str]]
    instrumented: tuple[tuple[str, str], ...]
    extra: str = ""
    calls: re.Pattern[str] = re.compile("")
    folder_of_calls: str = ""
    pytest_options: tuple[str, ...] = ()
    parallel: bool = True
    own_scope: str = ""
    differences: frozenset[str] = frozenset()
    peers: tuple[Subject, ...] = ()

    @property
    def subjects(self) -> dict[str, Subject]:
        """The subjects by name."""
        return {subject.name: subject for subject in (*SUBJECTS, *self.peers)}

    def tests(self, archive: Path, *, only_instrumented: bool) -> list[str]:
        """Returns the test files of the unpacked archive."""
        return [
            path.relative_to(archive).as_posix()
            for path in sorted((archive / "tests").rglob("test_*.py"))
            if not (
                only_instrumented
                or self.folder_of_calls in path.relative_to(archive).parts
            )
            or self.calls.search(path.read_text(encoding="utf-8"))
        ]

    def expected_differences(self, tests: Iterable[str]) -> frozenset[str]:
        """Returns those of the tests that are in `differences`."""
        return frozenset(
            test
            for test in tests
            if test in self.differences or test.partition("[")[0] in self.differences
        )

    @property
    def client_version(self) -> str:
        """The version that is installed where this is called."""
        return version(self.client)
