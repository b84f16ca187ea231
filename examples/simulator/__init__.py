"""A stand-in for api.deepseek.com: real HTTP on this machine, no key, no cost.

    from openai import OpenAI
    from examples.simulator import Simulator

    with Simulator() as deepseek:
        client = OpenAI(base_url=deepseek.base_url, api_key="any")
        client.chat.completions.create(
            model="deepseek-flash",
            messages=[{"role": "user", "content": "How many r's in strawberry?"}],
        )
        deepseek.exchanges[-1].usage

`python -m examples.simulator --help` tells the rest, faults on demand among it.
"""

from __future__ import annotations

from ._exchange import Exchange
from ._faults import Fault
from ._recorded_response import Recorded
from ._simulator import Simulator

__all__ = ["Exchange", "Fault", "Recorded", "Simulator"]
