"""One prompt end to end: in three stages, or directly; the work folder; running the stages."""
