"""Configures OpenTelemetry by `declarative.yaml`: `python examples/declarative.py`.

Needs `pip install --pre opentelemetry-configuration`.
"""

import os
from pathlib import Path

from openai import OpenAI
from opentelemetry.configuration import configure_sdk, load_config_file

file = Path(__file__).with_suffix(".yaml")
configure_sdk(load_config_file(str(file)))

url = os.environ.get("DEEPSEEK_BASE_URL", "https://api.deepseek.com")
deepseek = OpenAI(base_url=url, api_key=os.environ["DEEPSEEK_API_KEY"])
response = deepseek.chat.completions.create(
    model="deepseek-flash",
    messages=[{"role": "user", "content": "Why is the sky blue?"}],
)
print(response.choices[0].message.content)
