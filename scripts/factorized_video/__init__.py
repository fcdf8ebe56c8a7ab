"""What the four scripts share: contract, plan, texts, receipts, media and the gateway client."""

VERSION = "1.0.0"

# The three stages, what checks and mends between them, and the clip without an anchor, by the word
# that results and receipts use, as they are shown to people; in the order in which they run.
STAGES = {
    "reasoning": "Stage 1 reasoning",
    "questions": "Stage 2 questions",
    "composition": "Stage 2 composition",
    "verification": "Stage 2 verification",
    "repair": "Stage 2 repair",
    "motion": "Stage 1 motion",
    "synthesis": "Stage 3 synthesis",
    "direct": "Direct text-to-video",
    "measurement": "Measurement",
}
