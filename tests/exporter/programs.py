"""Programs of their own, run to their end."""

from __future__ import annotations

import os
import subprocess
import sys


def run(program, **environment):
    """What the program prints; what is deprecated is an error in it."""
    ended = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:__main__", "-c", program],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
