"""models.json, what a model supports, and what a call costs.

registry: the file, and finding a model in it · catalog: what a gateway's own list says · overlay:
the one laid over the other · prices: what a call costs · limits: what a model supports ·
picture_limits: what pictures it needs · engines: sizes and frames for engines of one's own ·
listing: the list of models. What registry and prices offer is imported from here.
"""

from .prices import REWRITE_TOKENS, price, price_of_tokens, shown_price
from .registry import (
    THE_ONLY_ONE,
    Engine,
    Gateway,
    ImageLimits,
    Model,
    at,
    default,
    document,
    gateway,
    in_file,
    learn,
    learned,
    names_of,
    other_choice,
    passed_over,
    pick,
    rows,
    service_of,
    unchecked,
)

__all__ = [
    "REWRITE_TOKENS",
    "THE_ONLY_ONE",
    "Engine",
    "Gateway",
    "ImageLimits",
    "Model",
    "at",
    "default",
    "document",
    "gateway",
    "in_file",
    "learn",
    "learned",
    "names_of",
    "other_choice",
    "passed_over",
    "pick",
    "price",
    "price_of_tokens",
    "rows",
    "service_of",
    "shown_price",
    "unchecked",
]
