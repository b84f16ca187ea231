# ruff: noqa: T201  # a program as users write them
import json
import os

from openai import OpenAI

client = OpenAI(base_url=os.environ["DEEPSEEK_BASE_URL"], api_key="any")
answer = client.chat.completions.create(
    model="deepseek-flash",
    messages=[
        {"role": "system", "content": 'Answer as JSON: {"question": "", "answer": ""}'},
        {"role": "user", "content": "Which is the highest mountain in the world?"},
    ],
    response_format={"type": "json_object"},
    extra_body={"thinking": {"type": "disabled"}},
)
print(json.loads(answer.choices[0].message.content)["answer"])
