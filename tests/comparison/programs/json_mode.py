# ruff: noqa: T201  # written as users write programs
import json
import os

from openai import OpenAI

client = OpenAI(base_url=os.environ["DEEPSEEK_BASE_URL"], api_key="any")
response = client.chat.completions.create(
    model="deepseek-flash",
    messages=[
        {"role": "system", "content": 'Answer as JSON: {"question": "", "answer": ""}'},
        {"role": "user", "content": "Which is the highest mountain in the world?"},
    ],
    response_format={"type": "json_object"},
    extra_body={"thinking": {"type": "disabled"}},
)
print(json.loads(response.choices[0].message.content)["answer"])
