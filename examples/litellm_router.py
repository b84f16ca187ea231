"""A Router of litellm, which tries DeepSeek's second model if the first one fails.

`opentelemetry-instrument python examples/litellm_router.py`; needs
`pip install litellm`.
"""

import os

from litellm import Router

url = os.environ.get("DEEPSEEK_BASE_URL", "https://api.deepseek.com")
options = {"api_base": url, "api_key": os.environ["DEEPSEEK_API_KEY"]}
models = {"fast": "deepseek/deepseek-flash", "large": "deepseek/deepseek-v4-pro"}
router = Router(
    model_list=[
        {"model_name": name, "litellm_params": {"model": model, **options}}
        for name, model in models.items()
    ],
    fallbacks=[{"fast": ["large"]}],
    num_retries=0,
)
question = {"role": "user", "content": "Why is the sky blue?"}
response = router.completion("fast", messages=[question])
print(response.choices[0].message.content)
