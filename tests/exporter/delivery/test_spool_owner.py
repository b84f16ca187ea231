"""Claims end with their process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from opentelemetry.exporter.mlflow._delivery._spool_owner import Owner, new_owner

from .spools import take_all

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="it needs /proc")

CLAIMING_PROGRAM = """
    import sys
    from tests.exporter.delivery.spools import make_request, open_spool
    with open_spool(sys.argv[1]) as spool:
        spool.put(make_request("a"))
        print("ready", flush=True)
        sys.stdin.read()
"""


@on_linux
def test_a_claim_ends_when_its_process_is_killed(folder, spool):
    program = CLAIMING_PROGRAM.replace("\n    ", "\n")
    with subprocess.Popen(
        [sys.executable, "-c", program, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        assert spool.state().span_count == 1
        assert spool.take() is None
        process.send_signal(signal.SIGKILL)
        # It is a zombie until `wait` is called, as without an init process.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert take_all(spool) == ["a"]


@on_linux
def test_an_owner_is_dead_if_its_process_id_was_used_again():
    owner = new_owner()
    assert owner.may_be_alive(str(owner))
    assert not owner.may_be_alive(str(owner._replace(start_time="1")))
    assert not owner.may_be_alive(str(owner._replace(pid=2**22 + 1)))
    assert owner.may_be_alive(str(owner._replace(machine="another", pid=2**22 + 1)))


def test_an_owner_may_be_alive_if_the_system_does_not_say(monkeypatch):
    def fail(*_):
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", fail)
    monkeypatch.setattr(Path, "read_bytes", fail)
    owner = new_owner()
    assert owner == Owner(os.uname().nodename, os.getpid(), "", owner.spool)
    assert owner.may_be_alive(str(owner._replace(pid=2**22 + 1)))


def test_two_spools_of_a_process_are_two_owners():
    assert new_owner() != new_owner()
