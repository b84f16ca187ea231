"""An argument, else its environment variable, else the default; or a clear refusal."""

from __future__ import annotations

import math
import os
import re
from typing import NamedTuple

_TRUE = ("true", "1")
_FALSE = ("false", "0")
_ARGUMENT = "the argument "


class Setting(NamedTuple):
    """A value and the name to blame for it."""

    value: str | None
    name: str

    @property
    def is_argument(self) -> bool:
        return self.name.startswith(_ARGUMENT)


def read_setting(argument: object, keyword: str, variable: str) -> Setting:
    """An empty variable counts as not set, as everywhere in OpenTelemetry."""
    if argument is not None:
        return Setting(str(argument).strip(), _ARGUMENT + keyword)
    return Setting(os.environ.get(variable, "").strip() or None, variable)


def parse_seconds(given: Setting, default: float) -> float:
    if given.value is None:
        return default
    try:
        value = float(given.value)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise ValueError(
            f"{given.name} takes a number of seconds above zero, such as 30, "
            f"not {given.value!r}"
        )
    return value


def parse_boolean(given: Setting, *, default: bool) -> bool:
    value = given.value
    if value is None:
        return default
    if value.lower() not in _TRUE + _FALSE:
        raise ValueError(f"{given.name} takes true or false, not {value!r}")
    return value.lower() in _TRUE


def strip_uri_secrets(uri: str) -> str:
    """The address without user, password and query, fit for a log."""
    return re.sub(r"//[^/]*@", "//", uri.partition("?")[0])
