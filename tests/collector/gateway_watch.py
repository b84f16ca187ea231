"""How much CPU time and memory processes take, with all their children (Linux)."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Figures(NamedTuple):
    """`cores` is how busy a part was, `microseconds` its CPU time for each span.

    `others` is the CPU time of all that is not ours on this machine.
    """

    spans: int
    seconds: float
    cpu: Mapping[str, float]
    resident: Mapping[str, float]
    others: float

    @property
    def rate(self) -> float:
        return self.spans / self.seconds

    def cores(self, part: str) -> float:
        return self.cpu[part] / self.seconds

    def microseconds(self, part: str) -> float:
        return self.cpu[part] / self.spans * 1e6


class Watch:
    """CPU time and peak of memory of named processes, with all their children."""

    def __init__(self, parts: Mapping[str, Sequence[int]]) -> None:
        self._parts = parts
        self._began = time.monotonic()
        self._machine = _machine()
        self._at_first = self._cpu()

    def figures(self, spans: int) -> Figures:
        seconds = time.monotonic() - self._began
        cpu = {name: at - self._at_first[name] for name, at in self._cpu().items()}
        others = _machine() - self._machine - sum(cpu.values())
        resident = {
            name: sum(map(_resident, _trees(pids)))
            for name, pids in self._parts.items()
        }
        return Figures(spans, seconds, cpu, resident, others)

    def _cpu(self) -> dict[str, float]:
        return {
            name: sum(map(_seconds, _trees(pids))) for name, pids in self._parts.items()
        }


def listening(addresses: Sequence[str]) -> list[int]:
    """MLflow's processes, by the port in their command."""
    ports = {address.rpartition(":")[2].encode() for address in addresses}
    commands = {
        int(one.parent.name): one.read_bytes().split(b"\0")
        for one in Path("/proc").glob("[0-9]*/cmdline")
    }
    mine = _children().get(os.getpid(), [])
    return [pid for pid in mine if ports.intersection(commands.get(pid, ()))]


def _trees(pids: Sequence[int]) -> list[int]:
    if os.getpid() in pids:
        return list(pids)
    children, trees = _children(), list(pids)
    for pid in trees:
        trees += children.get(pid, [])
    return trees


def _machine() -> float:
    """Busy, of all cores."""
    user, nice, system, _, _, irq, softirq, *_ = map(
        int, Path("/proc/stat").read_text().split()[1:9]
    )
    return (user + nice + system + irq + softirq) / _TICKS


def _children() -> dict[int, list[int]]:
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        if fields := _fields(int(stat.parent.name)):
            children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    return children


def _fields(pid: int) -> list[str]:
    try:
        # After the name, which may hold anything.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _seconds(pid: int) -> float:
    """Of the process, and of its children that have ended."""
    own_and_ended = slice(11, 13) if pid == os.getpid() else slice(11, 15)
    return sum(map(int, _fields(pid)[own_and_ended])) / _TICKS


def _resident(pid: int) -> float:
    """The peak, in MiB."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    (peak,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1024
