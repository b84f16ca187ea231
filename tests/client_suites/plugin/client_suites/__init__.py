"""The suites and the instrumentations to run them with.

The program reads what to install and to run. The pytest plugin imports this package
inside a test run, where this project's package and the clients of other suites may not
be installed, so the functions import what they need.
"""

from __future__ import annotations

from typing import Final

from . import aiohttp, anthropic, httpx, httpx2, openai, requests
from ._subjects import DEEPSEEK_PACKAGE, Subject, call_tracker
from ._suite import Suite

__all__ = ["DEEPSEEK_PACKAGE", "SUITES", "Subject", "Suite", "call_tracker"]

SUITES: Final = {
    module.SUITE.client: module.SUITE
    for module in (openai, anthropic, httpx, httpx2, requests, aiohttp)
}
