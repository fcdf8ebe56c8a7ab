"""models.json, what a model supports, and what a call costs.

registry: the file, read, matched and priced · limits: what a model supports · listing: the list of
models. What `registry` offers is imported from here.
"""

from .registry import (
    REWRITE_TOKENS,
    THE_ONLY_ONE,
    Gateway,
    ImageLimits,
    Model,
    at,
    gateway,
    pick,
    price,
    price_of_tokens,
    registry,
    rows,
    shown_price,
    unchecked,
)

__all__ = [
    "REWRITE_TOKENS",
    "THE_ONLY_ONE",
    "Gateway",
    "ImageLimits",
    "Model",
    "at",
    "gateway",
    "pick",
    "price",
    "price_of_tokens",
    "registry",
    "rows",
    "shown_price",
    "unchecked",
]
