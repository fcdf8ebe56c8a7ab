"""The only room, beside the demo, with Pillow and PyAV: what pictures and clips really are.

file_types: by the first bytes, and whether the two packages are here · images: read, judged, made
fit to send · clips: judged, measured, freed of sound · frames: evenly spaced, decoded ·
judge_frames: as pictures for a model · similarity: of two pictures · filmstrip, contact_sheet,
comparison: overviews, on one grid.
"""
