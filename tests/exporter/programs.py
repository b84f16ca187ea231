"""Runs Python programs in a new process."""

from __future__ import annotations

import os
import subprocess
import sys


def run(program, **environment):
    """Returns the output of the program. A DeprecationWarning in it is an error."""
    process = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:__main__", "-c", program],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert process.returncode == 0, (process.returncode, process.stderr)
    return process.stdout
