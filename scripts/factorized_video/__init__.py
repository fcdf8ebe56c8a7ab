"""What the four scripts share: contract, plan, texts, receipts, media and the gateway client."""

VERSION = "1.0.0"

# The three stages, by the word that results and receipts use, as they are shown to people.
STAGES = {
    "reasoning": "Stage 1 reasoning",
    "composition": "Stage 2 composition",
    "synthesis": "Stage 3 synthesis",
}
