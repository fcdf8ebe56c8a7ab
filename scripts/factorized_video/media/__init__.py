"""The only room, beside the demo, with Pillow and PyAV: what pictures and clips really are.

kinds: by the first bytes, and whether the two packages are here · images: read, judged, made fit to
send · clips: judged, measured, stripped of sound · likeness: how alike two pictures are ·
filmstrip: a clip at a glance.
"""
