"""The owner of a claim on a request in a spool, and whether its process is alive."""

from __future__ import annotations

import os
import platform
import secrets
from pathlib import Path
from typing import Final, NamedTuple

_ENDED_STATES: Final = (b"X", b"Z")


class Owner(NamedTuple):
    """A spool object of a process. Claims carry its text.

    Process ids are used again. A process is therefore identified also by the time of
    its start, and a machine by its boot and by the namespace of the process ids,
    because containers on one machine may share a spool.
    """

    machine: str
    pid: int
    start_time: str
    spool: str

    def __str__(self) -> str:
        return "\n".join(map(str, self))

    def may_be_alive(self, owner: str) -> bool:
        """Whether the process of `owner` runs, or may run elsewhere."""
        machine, pid, start_time, _ = owner.split("\n")
        return (
            machine != self.machine
            or not start_time
            or _start_time(int(pid)) == start_time
        )


def new_owner() -> Owner:
    pid = os.getpid()
    return Owner(_machine(), pid, _start_time(pid), secrets.token_hex(4))


def _machine() -> str:
    try:
        boot_id = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot_id} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:  # not Linux
        return platform.node()


def _start_time(pid: int) -> str:
    """Return the start of the process in clock ticks after the boot.

    Returns "" if the process does not run, or if the system is not Linux.
    """
    try:
        # https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return ""
    # The second field is the name of the program. It may contain spaces and brackets.
    state, *fields = stat.rpartition(b")")[2].split()
    return "" if state in _ENDED_STATES else fields[18].decode()
