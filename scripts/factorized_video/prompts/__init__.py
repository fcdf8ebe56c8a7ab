"""Every text that goes to a model, one file per task, and how its JSON answer is read. Pure.

Captions and motion follow arXiv:2512.16371 (the caption describes only the initial scene; the video
model gets the anchor and the original prompt) and the vendors' published prompt guides for
image-to-video models. `references/prompt-templates.md` shows these texts; a test keeps it equal.
"""
