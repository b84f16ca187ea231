"""Measures the CPU time and memory of processes with all their children (Linux)."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")


class Usage(NamedTuple):
    """What the components used during a measurement.

    `cpu` is seconds of CPU time, and `resident` the peak of resident memory in MiB, by
    component. `other_cpu` is the CPU time of all other processes on this machine.
    """

    spans: int
    seconds: float
    cpu: Mapping[str, float]
    resident: Mapping[str, float]
    other_cpu: float

    @property
    def spans_per_second(self) -> float:
        return self.spans / self.seconds

    def busy_cores(self, component: str) -> float:
        return self.cpu[component] / self.seconds

    def microseconds_per_span(self, component: str) -> float:
        return self.cpu[component] / self.spans * 1e6


class UsageMeter:
    """Measures components from its creation to `usage`.

    `components` maps the name of a component to the ids of its processes. Their child
    processes are included.
    """

    def __init__(self, components: Mapping[str, Sequence[int]]) -> None:
        self._components = components
        self._start = time.monotonic()
        self._start_machine_cpu = _machine_cpu()
        self._start_cpu = self._cpu()

    def usage(self, spans: int) -> Usage:
        seconds = time.monotonic() - self._start
        cpu = {
            name: cpu_seconds - self._start_cpu[name]
            for name, cpu_seconds in self._cpu().items()
        }
        other_cpu = _machine_cpu() - self._start_machine_cpu - sum(cpu.values())
        resident = {
            name: sum(map(_peak_resident, _with_descendants(pids)))
            for name, pids in self._components.items()
        }
        return Usage(spans, seconds, cpu, resident, other_cpu)

    def _cpu(self) -> dict[str, float]:
        return {
            name: sum(map(_cpu_seconds, _with_descendants(pids)))
            for name, pids in self._components.items()
        }


def mlflow_server_pids(uris: Sequence[str]) -> list[int]:
    """Returns the MLflow processes started here, found by the port in their command."""
    ports = {uri.rpartition(":")[2].encode() for uri in uris}
    commands = {
        int(cmdline.parent.name): cmdline.read_bytes().split(b"\0")
        for cmdline in Path("/proc").glob("[0-9]*/cmdline")
    }
    children = _children().get(os.getpid(), [])
    return [pid for pid in children if ports.intersection(commands.get(pid, ()))]


def _with_descendants(pids: Sequence[int]) -> list[int]:
    # The servers are children of this process; they are components of their own.
    if os.getpid() in pids:
        return list(pids)
    children, processes = _children(), list(pids)
    for pid in processes:
        processes += children.get(pid, [])
    return processes


def _machine_cpu() -> float:
    """Returns the CPU time of all processes on all cores, in seconds."""
    user, nice, system, _, _, irq, softirq, *_ = map(
        int, Path("/proc/stat").read_text().split()[1:9]
    )
    return (user + nice + system + irq + softirq) / _TICKS_PER_SECOND


def _children() -> dict[int, list[int]]:
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        if fields := _stat_fields(int(stat.parent.name)):
            children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    return children


def _stat_fields(pid: int) -> list[str]:
    try:
        # The fields after the process name, which may contain any character.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _cpu_seconds(pid: int) -> float:
    """Returns the CPU time of a process and of its children that have exited.

    The children of this process are not included, because they are servers.
    """
    fields = slice(11, 13) if pid == os.getpid() else slice(11, 15)
    return sum(map(int, _stat_fields(pid)[fields])) / _TICKS_PER_SECOND


def _peak_resident(pid: int) -> float:
    """Returns the peak of resident memory in MiB."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    (peak,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1024
