"""Several processes and threads use one folder. Some are killed."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading

import pytest

from .spools import open_spool, put_unclaimed

needs_fork = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="the platform has no fork"
)


def run(program, *arguments):
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program), *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert process.returncode == 0, process.stderr
    assert not process.stderr
    return process.stdout


FORKING_PROGRAM = """
    import os, sys, threading, warnings
    from tests.exporter.delivery.spools import (
        make_request, open_spool, put_unclaimed, take_all)
    folder = sys.argv[1]
    with open_spool(folder) as spool:
        put_unclaimed(spool, "unclaimed")
        claimed = spool.put(make_request("claimed"))
        spool.fallback.put(make_request("in memory"))
        # The fork waits for the transaction of another thread.
        lock_held, has_forked = threading.Event(), threading.Event()
        def hold_lock():
            def wait(transaction):
                transaction.insert(make_request("during the fork"), spool.destination)
                lock_held.set()
                has_forked.wait(float(sys.argv[2]))
            spool._requests._access.run(wait)
        thread = threading.Thread(target=hold_lock)
        thread.start()
        lock_held.wait()
        read_end, write_end = os.pipe()
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
        if not pid:
            sys.stderr = sys.stdout
            spool.after_fork()
            os.read(read_end, 1)
            print(take_all(spool), spool.state().span_count)
            put_unclaimed(spool, "of the child")
            # The interpreter of the child exits as usual.
            sys.exit()
        has_forked.set()
        thread.join()
        os.write(write_end, b" ")
        assert os.waitpid(pid, 0)[1] == 0
        put_unclaimed(spool, "of the parent")
        spool.replace(claimed, [])
        assert not spool._requests._access._database.is_replaced
        (result,) = spool._requests._access.run(
            lambda t: t.connection.execute("PRAGMA integrity_check").fetchone())
        print(result, take_all(spool), spool.state().span_count)
"""


@needs_fork
def test_a_forked_child_has_its_own_connection(folder):
    assert run(FORKING_PROGRAM, folder, "0.1").splitlines() == [
        "['unclaimed', 'during the fork'] 1",
        "ok ['of the child', 'of the parent'] 1",
    ]


@needs_fork
def test_a_fork_does_not_wait_for_ever(folder):
    assert run(FORKING_PROGRAM, folder, "60").splitlines()[1:] == [
        "[] 0",
        "ok ['unclaimed', 'during the fork', 'of the parent'] 1",
    ]


# A server in C, such as uWSGI, may fork without the hooks before a fork.
C_FORKING_PROGRAM = """
    import os, pathlib, sys
    from tests.exporter.delivery.spools import (
        database_path, open_spool, put_unclaimed, take_all)
    folder = pathlib.Path(sys.argv[1])
    register_at_fork = os.register_at_fork
    del os.register_at_fork
    with open_spool(folder) as spool:
        os.register_at_fork = register_at_fork
        put_unclaimed(spool, "of the parent")
        pid = os.fork()
        if not pid:
            sys.stderr = sys.stdout
            spool.after_fork()
            put_unclaimed(spool, "of the child")
            print(take_all(spool))
            sys.exit()
        assert os.waitpid(pid, 0)[1] == 0
        # The child has not deleted the write-ahead log.
        assert database_path(folder).with_name("spool.db-wal").exists()
        print(take_all(spool))
"""


@needs_fork
def test_a_child_of_a_fork_without_hooks_uses_the_memory(folder):
    warning, *texts = run(C_FORKING_PROGRAM, folder).splitlines()
    assert warning.startswith(
        f"Cannot use the spool in {folder}: the process was forked while it was in use."
    )
    assert texts == ["['of the child']", "['of the parent']"]


STARTING_PROGRAM = """
    import os, sys, warnings
    from tests.exporter.delivery.spools import open_spool, put_unclaimed, take_all
    warnings.simplefilter("ignore", DeprecationWarning)
    read_end, write_end = os.pipe()
    pids = []
    for number in range(8):
        pids.append(os.fork())
        if not pids[-1]:
            os.close(write_end)
            os.read(read_end, 1)
            with open_spool(sys.argv[1]) as spool:
                for text in "abcdefghij":
                    put_unclaimed(spool, f"{text}{number}")
                assert spool.is_persistent
            os._exit(0)
    os.close(write_end)
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * 8
    with open_spool(sys.argv[1]) as spool:
        print(len(set(take_all(spool))))
"""


@needs_fork
def test_processes_that_start_together_share_a_new_folder(folder):
    assert run(STARTING_PROGRAM, folder) == "80\n"
    assert [path.name for path in folder.iterdir()] == ["spool.db"]


# Three processes put, split and remove requests. Each writes what it has done, and what
# it is about to remove, to a pipe. One is killed, then the others.
KILL_PROGRAM = """
    import os, random, signal, sys, time, warnings
    from tests.exporter.delivery.spools import make_request, open_spool, take_all
    warnings.simplefilter("ignore", DeprecationWarning)

    def write(pipe, number, run):
        def report(*words):
            os.write(pipe, (" ".join(words) + "\\n").encode())
        with open_spool(sys.argv[1], max_bytes=10**9) as spool:
            for count in range(10**9):
                text = f"{run}.{number}.{count}." + "x" * random.randrange(50_000)
                queued = spool.put(make_request(text))
                report("put", text[:20])
                match random.randrange(4):
                    case 0:
                        report("removing", text[:20])
                        spool.replace(queued, [])
                        report("removed", text[:20])
                    case 1:
                        report("removing", text[:20])
                        part = text[:20].partition("x")[0] + "part"
                        spool.replace(queued, [make_request(part)])
                        report("put", part)
                        report("removed", text[:20])
                    case 2:
                        spool.release(queued, attempts=1, delay=0)
                        if queued := spool.take():
                            taken = queued.request.body.decode()[:20]
                            report("removing", taken)
                            spool.replace(queued, [])
                            report("removed", taken)
                assert not spool.fallback.state().span_count

    total = 0
    for run in range(int(sys.argv[2])):
        read_end, write_end = os.pipe()
        pids = []
        for number in range(3):
            pids.append(os.fork())
            if not pids[-1]:
                os.close(read_end)
                try:
                    write(write_end, number, run)
                finally:
                    os._exit(1)
        os.close(write_end)
        with os.fdopen(read_end) as pipe:
            lines = [pipe.readline()]
            end = time.monotonic() + random.uniform(0.001, 0.1)
            while time.monotonic() < end:
                lines.append(pipe.readline())
            os.kill(pids[0], signal.SIGKILL)
            end = time.monotonic() + 0.03
            while time.monotonic() < end:
                lines.append(pipe.readline())
            for pid in pids[1:]:
                os.kill(pid, signal.SIGKILL)
            lines += pipe
        for pid in pids:
            assert os.waitpid(pid, 0)[1] == signal.SIGKILL
        facts = {name: set() for name in ("put", "removing", "removed")}
        for line in lines:
            name, text = line.split()
            facts[name].add(text)
        with open_spool(sys.argv[1]) as spool:
            (result,) = spool._requests._access.run(
                lambda t: t.connection.execute("PRAGMA integrity_check").fetchone())
            assert result == "ok", result
            texts = [text[:20] for text in take_all(spool)]
            assert spool._requests._access.run(lambda t: t.byte_count()) == 0
        assert len(texts) == len(set(texts))
        assert facts["put"] - facts["removing"] <= set(texts), (run, facts)
        assert not facts["removed"] & set(texts), (run, facts)
        total += len(facts["put"])
    print(total)
"""


@needs_fork
def test_no_request_is_lost_if_processes_are_killed(folder):
    runs = os.environ.get("SPOOL_KILL_RUNS", "20")
    assert int(run(KILL_PROGRAM, folder, runs)) > 20 * int(runs)


def test_threads_share_a_spool(folder):
    with open_spool(folder) as spool:
        texts = []

        def put_and_take(number):
            for count in range(30):
                put_unclaimed(spool, f"{number}.{count}")
                queued = spool.take()
                spool.replace(queued, [])
                texts.append(queued.request.body)

        threads = [
            threading.Thread(target=put_and_take, args=(number,)) for number in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(texts)) == 120
        assert spool.state() == (0, 0, 0)
        assert not spool.drops
