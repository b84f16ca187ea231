"""What the account may use: the models, and what is left of the balance."""

from __future__ import annotations

from typing import Any

FLASH = "deepseek-flash"
PRO = "deepseek-v4-pro"
# A retired name is accepted and answered, and billed, as the model that serves it.
SERVED_BY = {
    FLASH: FLASH,
    PRO: PRO,
    "deepseek-v4-flash": FLASH,
    "deepseek-v4-flash-vision-exp": FLASH,
}
CONTEXT = 1_048_576  # tokens
MAX_OUTPUT = 393_216  # tokens
FINGERPRINT = "aeb56401ca74e127821c4f9126dcb669"


def _model(name: str, label: str, inputs: list[str], system: str) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "owned_by": "deepseek",
        "name": label,
        "context_window": CONTEXT,
        "max_output_tokens": MAX_OUTPUT,
        "input_modalities": inputs,
        "output_modalities": ["text"],
        "effort": {"supported_levels": ["low", "high", "max"], "default_level": "high"},
        "api_capabilities": {"anthropic_messages": {"system_prompt_update": system}},
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
