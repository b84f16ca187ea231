"""Reads and validates settings: an argument, an environment variable or the default."""

from __future__ import annotations

import math
import os
import re
from typing import NamedTuple

_TRUE_VALUES = ("true", "1")
_FALSE_VALUES = ("false", "0")
_ARGUMENT_PREFIX = "the argument "


class Setting(NamedTuple):
    """The text of a setting, and the source of it, which error messages name.

    `value` is None if the setting is not set.
    """

    value: str | None
    name: str

    @property
    def is_argument(self) -> bool:
        return self.name.startswith(_ARGUMENT_PREFIX)


def read_setting(argument: object, keyword: str, variable: str) -> Setting:
    """Return the argument if it is not None, else the environment variable.

    An empty variable counts as not set, as in the OpenTelemetry specification.
    """
    if argument is not None:
        return Setting(str(argument).strip(), _ARGUMENT_PREFIX + keyword)
    return Setting(os.environ.get(variable, "").strip() or None, variable)


def parse_seconds(setting: Setting, default: float) -> float:
    """Return the number of seconds, or `default` if the setting is not set.

    Raises ValueError if it is not a finite number greater than 0.
    """
    if setting.value is None:
        return default
    try:
        seconds = float(setting.value)
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds > 0):
        raise ValueError(
            f"{setting.name} must be a number of seconds greater than 0, for example "
            f"30; got {setting.value!r}"
        )
    return seconds


def parse_bytes(setting: Setting, default: int) -> int:
    """Return the number of bytes, or `default` if the setting is not set.

    Raises ValueError if it is not a whole number greater than 0.
    """
    if setting.value is None:
        return default
    if not (setting.value.isascii() and setting.value.isdigit() and int(setting.value)):
        raise ValueError(
            f"{setting.name} must be a number of bytes greater than 0, for example "
            f"1000000000; got {setting.value!r}"
        )
    return int(setting.value)


def parse_boolean(setting: Setting, *, default: bool) -> bool:
    """Return the boolean, or `default` if the setting is not set.

    Accepts true, false, 1 and 0. Raises ValueError if it is something else.
    """
    value = setting.value
    if value is None:
        return default
    if value.lower() not in _TRUE_VALUES + _FALSE_VALUES:
        raise ValueError(f"{setting.name} must be true or false; got {value!r}")
    return value.lower() in _TRUE_VALUES


def strip_uri_secrets(uri: str) -> str:
    """Return the URI without user, password and query, to be written to a log."""
    return re.sub(r"//[^/]*@", "//", uri.partition("?")[0])
