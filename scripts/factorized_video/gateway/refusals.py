"""What is a refusal of the model or its filter, and what only sounds like one. Pure.

By code, by the word that an answer ended with, and only then by sentence.
"""

from __future__ import annotations

import re

# Codes, types and reasons of errors.
_CODES = (
    r"content[ _-]?(?:filter|polic|moderation|blocked|restrict)|moderat(?:ion|ed)|prohibited"
    r"|safety(?!_?(?:identifier|settings))|responsible_?ai|\brai\b|raimedia|nsfw|sensitive_?content"
    r"|data_?inspection|policy_?violation|risk_?control|recitation|blocklist"
)
# How an answer ends that a filter stopped, or that the model declined to give.
_ENDINGS = r"content.?filter|safety|prohibited|blocklist|recitation|refus|spii|moderat|sensitive"
# Sentences of filters and policies.
_SENTENCES = (
    r"content[ _-]?(?:filter|policy|polic|moderation|blocked)|moderat(?:ion|ed)|prohibited"
    r"|safety(?![ _]?(?:identifier|settings))|responsible ai|\brai\b|raimedia|nsfw"
    r"|sensitive (?:content|information)"
    r"|violat\w+ .{0,40}polic|polic\w+ violat|usage polic"
)
# Sentences about who may ask, or about a field: not about what was asked for.
_OF_ACCESS = (
    r"organi[sz]ation|\baccounts? |\bregion\b|\bcountry\b|must be verified|not have access"
    r"|access (?:denied|to this)|(?:unknown|unsupported|unrecognized|missing|invalid|required)"
    r" (?:parameter|field|argument)|parameter"
)


def by_code(codes: str) -> bool:
    """Whether the codes of an error are those of a filter or a policy."""
    return bool(re.search(_CODES, codes, re.IGNORECASE))


def by_ending(word: str | None) -> bool:
    """Whether an answer ended because of a filter, or because the model declined."""
    return bool(word and re.search(_ENDINGS, word, re.IGNORECASE))


def by_words(text: str) -> bool:
    """Whether a sentence is that of a filter or a policy, and not one about access or a field."""
    if re.search(_OF_ACCESS, text, re.IGNORECASE):
        return False
    return bool(re.search(_SENTENCES, text, re.IGNORECASE))
