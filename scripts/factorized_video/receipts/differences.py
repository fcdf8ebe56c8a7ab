"""What differs between the options that an output was made with and those of today. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# What is no option, or has another name as one.
_NAMES = {
    "references": "--reference",
    "extended": "--anchor-path with --fit extend",
    "prompt": "the prompt",
    "caption": "the caption",
}
_OF_SCRIPT = {("factorized_generate", "anchor"): "--anchor-path"}
_OF_GATEWAY = ("name", "host", "port")
_LONGEST = 48  # characters of a text that is shown


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """In words, option by option, as receipts hold them in `asked`.

    Where another script made it, the options have other names: then that is the one difference.
    """
    if not then:
        return []
    script = str(now.get("script"))
    if then.get("script") != script:
        return [f"it was made by {then.get('script')}.py"]
    return [
        f"{_name(script, name)} ({_change(then.get(name), now.get(name))})"
        for name in dict.fromkeys((*now, *then))
        if _differ(then.get(name), now.get(name))
    ]


def _differ(then: object, now: object) -> bool:
    if isinstance(then, dict) and isinstance(now, dict):  # older receipts know less of a gateway
        return any(now.get(name) != one for name, one in then.items())
    return then != now


def _name(script: str, name: str) -> str:
    flag = "--" + name.replace("_", "-")
    return _OF_SCRIPT.get((script, name)) or _NAMES.get(name) or flag


def _change(then: object, now: object) -> str:
    if then is not None and now is not None and _is_picture(then) and _is_picture(now):
        return "another picture"
    if isinstance(then, dict) and isinstance(now, dict):  # gateways: the host says it if need be
        key = next((one for one in _OF_GATEWAY if then.get(one) != now.get(one)), "name")
        then, now = then.get(key), now.get(key)
    return f"{_shown(then)} before, {_shown(now)} now"


def _shown(value: object) -> str:
    if value is None or value is False:
        return "not given" if value is None else "off"
    if value is True:
        return "on"
    if _is_picture(value):
        return "a picture"
    text = " ".join(str(value).split())
    text = text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
    return f'"{text}"' if " " in text else text


def _is_picture(value: object) -> bool:
    """Whether it stands for pictures, by their SHA-256."""
    rows = value if isinstance(value, list) else [value]
    return all(isinstance(one, str) and re.fullmatch(r"[0-9a-f]{64}", one) for one in rows)
