"""The models, as `GET /models` lists them, and the balance of the account."""

from __future__ import annotations

from typing import Any

FLASH = "deepseek-flash"
PRO = "deepseek-v4-pro"
# Requests for a retired model name are served, and billed, as the model on the right.
SERVING_MODELS = {
    FLASH: FLASH,
    PRO: PRO,
    "deepseek-v4-flash": FLASH,
    "deepseek-v4-flash-vision-exp": FLASH,
}
CONTEXT_WINDOW = 1_048_576  # tokens
MAX_OUTPUT_TOKENS = 393_216  # tokens
SYSTEM_FINGERPRINT = "aeb56401ca74e127821c4f9126dcb669"


def _model(
    name: str, label: str, input_modalities: list[str], system_prompt_update: str
) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "owned_by": "deepseek",
        "name": label,
        "context_window": CONTEXT_WINDOW,
        "max_output_tokens": MAX_OUTPUT_TOKENS,
        "input_modalities": input_modalities,
        "output_modalities": ["text"],
        "effort": {"supported_levels": ["low", "high", "max"], "default_level": "high"},
        "api_capabilities": {
            "anthropic_messages": {"system_prompt_update": system_prompt_update}
        },
    }


MODELS = {
    FLASH: _model(FLASH, "DeepSeek-V4.1-Flash", ["text", "image"], "in-history"),
    PRO: _model(PRO, "DeepSeek-V4-Pro", ["text"], "leading-only"),
}
MODEL_LIST = {"object": "list", "data": list(MODELS.values())}
BALANCE = {
    "is_available": True,
    "balance_infos": [
        {
            "currency": "CNY",
            "total_balance": "110.00",
            "granted_balance": "10.00",
            "topped_up_balance": "100.00",
        }
    ],
}
