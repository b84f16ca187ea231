# ruff: noqa: T201  # written as users write programs
"""instructor: a forced tool, JSON mode, and a partial object while it arrives.

https://python.useinstructor.com/integrations/deepseek/
"""

from __future__ import annotations

import os

import instructor
from openai import OpenAI
from pydantic import BaseModel

MODEL = "deepseek-flash"
# DeepSeek accepts a forced tool only without thinking.
THINKING_OFF = {"thinking": {"type": "disabled"}}


class User(BaseModel):
    name: str
    age: int


deepseek = OpenAI(
    api_key=os.environ["DEEPSEEK_API_KEY"], base_url=os.environ["DEEPSEEK_BASE_URL"]
)

with_tools = instructor.from_openai(deepseek, mode=instructor.Mode.TOOLS)
user = with_tools.chat.completions.create(
    model=MODEL,
    messages=[{"role": "user", "content": "Jason is 25 years old"}],
    response_model=User,
    extra_body=THINKING_OFF,
)
print(repr(user))

with_json = instructor.from_openai(deepseek, mode=instructor.Mode.JSON)
user = with_json.chat.completions.create(
    model=MODEL,
    messages=[
        {
            "role": "user",
            "content": 'Maria is 31 years old, as {"name": "Ada", "age": 1}',
        }
    ],
    response_model=User,
)
print(repr(user))

*partial_users, user = with_tools.chat.completions.create_partial(
    model=MODEL,
    messages=[{"role": "user", "content": "Robert is 42 years old"}],
    response_model=User,
    extra_body=THINKING_OFF,
)
print(partial_users[0], "…", repr(user))
