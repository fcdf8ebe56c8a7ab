"""What the four scripts share, in eleven rooms: see CONTRIBUTING.md."""

VERSION = "1.0.0"
# The scripts, by their files.
SCRIPTS = (
    "rewrite_prompt.py",
    "generate_anchor.py",
    "generate_video_from_anchor.py",
    "factorized_generate.py",
)

# The three stages, the checks and edits between them, and the clip without an anchor: the word in
# results and receipts, and the name shown; in the order in which they run.
STAGES = {
    "reasoning": "Stage 1 reasoning",
    "questions": "Stage 2 questions",
    "composition": "Stage 2 composition",
    "verification": "Stage 2 verification",
    "repair": "Stage 2 repair",
    "end_frame": "Stage 2 last frame",
    "motion": "Stage 1 motion",
    "synthesis": "Stage 3 synthesis",
    "direct": "Direct text-to-video",
    "measurement": "Measurement",
    "story": "Story",
}
