"""Removes what Python does not have on Windows, when an interpreter starts.

Python imports this module if its folder is in PYTHONPATH, also in child processes.
https://docs.python.org/3/library/site.html#module-sitecustomize
"""

import os
import signal
import sys

# Only names that the standard library does not need itself on Unix.
OS = """
    chown fchmod fork forkpty getegid geteuid getgid getpgid killpg nice pread
    pwrite register_at_fork sched_getaffinity set_blocking setsid uname
"""
SIGNAL = """
    SIGALRM SIGCHLD SIGCONT SIGHUP SIGKILL SIGPIPE SIGQUIT SIGSTOP SIGUSR1 SIGUSR2
    SIG_BLOCK SIG_SETMASK SIG_UNBLOCK alarm pause pthread_kill pthread_sigmask
    setitimer siginterrupt sigpending sigwait
"""
MODULES = "fcntl grp pty pwd resource syslog termios tty"

for module, names in ((os, OS), (signal, SIGNAL)):
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)
for name in MODULES.split():
    sys.modules[name] = None
