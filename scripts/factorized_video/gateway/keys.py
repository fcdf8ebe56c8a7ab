"""Which key may be sent where: what is no key, whose it plainly is, and over which wire.

The rules, with their reasons, are in `references/gateways.md`.
"""

from __future__ import annotations

import re

from ..errors import AuthError, UsageError
from . import dialects
from .addresses import is_loopback
from .lookup import BASE
from .types import About

# How keys begin that belong to none of the gateways.
_FOREIGN_KEYS = (
    (r"sk-ant-", "Anthropic"),
    (r"sk-(?:proj|svcacct|admin|None)-|sess-", "OpenAI"),
    (r"AIza|ya29\.|AQ\.", "Google"),
    (r"r8_", "Replicate"),
    (r"hf_", "Hugging Face"),
    (r"gsk_", "Groq"),
    (r"xai-", "xAI"),
    (r"pplx-", "Perplexity"),
    (r"nvapi-", "NVIDIA"),
    (r"tgp_", "Together"),
    (r"fw_", "Fireworks"),
    (r"luma-", "Luma"),
    (r"key_[0-9a-f]{32}", "Runway"),
    (r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}:[0-9a-f]+$", "fal"),
    (r"(?:AKIA|ASIA)[0-9A-Z]{12}", "Amazon Web Services"),
    (r"LTAI\w{12}", "Alibaba Cloud"),
    (r"vc[pari]_", "Vercel's account (its AI Gateway has keys of its own, vck_...)"),
    (r"gh[pousr]_|github_pat_", "GitHub"),
    (r"glpat-", "GitLab"),
    (r"[rs]k_(?:live|test)_", "Stripe"),
    (r"xox[a-z]-", "Slack"),
    (r"eyJ[\w-]+\.[\w-]+\.", "some other service (it is a JSON Web Token)"),
)
# What stands around a key that was copied with its surroundings.
_AROUND = (
    (r"[\"'`<\[({]|.*[\"'`>\])}]$", "a quote or a bracket"),
    (r"[A-Za-z_]\w*=[^=]", "a name and an equals sign"),  # base64 may end with two of them
    (r"(?i:bearer)\b", "the word Bearer"),
)


def check_key(key: str, key_name: str, name: str, host: str) -> None:
    """Raise AuthError for what is no key, or a key of another service than it would be sent to.

    A server of your own may accept a key of any shape, but not that of a known gateway.
    """
    for pattern, what in _AROUND:
        if re.match(pattern, key):
            raise AuthError(
                f"{key_name} holds {what} beside the key.",
                f"Set it to the key alone: {key_name}=...",
            )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise AuthError(
            f"{key_name} holds a character that a key cannot have (a space, a quote from a web "
            "page?).",
            "Copy the key again.",
        )
    about_all = dialects.about_all()
    about = about_all[name]
    for other, theirs in about_all.items():
        begins = theirs.key_prefix and key.lower().startswith(theirs.key_prefix)
        if begins and not key.startswith(theirs.key_prefix or ""):
            raise AuthError(
                f"{key_name} begins like a key of {theirs.title}, in other letters: those keys "
                f"begin with {theirs.key_prefix}, and their case counts.",
                "Copy the key again.",
            )
        if other != name and begins:
            raise AuthError(
                f"{key_name} holds a key of {theirs.title}; it is not sent to "
                f"{about.title if about.bases else host}.",
                f"Use --gateway {other}{f' and unset {BASE}' if host else ''}, or put a key of "
                f"{about.title} into {key_name}.",
            )
    for pattern, whose in _FOREIGN_KEYS if about.bases else ():
        if re.match(pattern, key, re.IGNORECASE):
            raise AuthError(
                f"{key_name} holds a key of {whose}; it is not sent to {about.title}.",
                f"Put a key of {about.title} into {key_name}, or try --gateway demo.",
            )


def check_prefix(key: str, key_name: str, about: About) -> None:
    """Raise AuthError for a key of another shape than the gateway's keys have."""
    if about.key_prefix and not key.startswith(about.key_prefix):
        raise AuthError(
            f"{key_name} holds a key that is none of {about.title}, whose keys begin with "
            f"{about.key_prefix}: it is not sent there.",
            f"Put a key of {about.title} into {about.own_variable or key_name}, or leave --gateway "
            "out.",
        )


def check_privacy(root: str, host: str, base_name: str) -> None:
    """Raise UsageError if a key would go over plain http to another machine."""
    if root.startswith("http://") and not is_loopback(host):
        raise UsageError(
            f"{base_name} is plain http to another machine ({host}): the key could be read on the "
            "way.",
            f"Use https, or a tunnel: ssh -L 8080:localhost:PORT {host}, then "
            f"{base_name}=http://127.0.0.1:8080.",
        )
