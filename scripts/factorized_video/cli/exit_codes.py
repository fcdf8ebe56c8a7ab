"""Exit codes: which kind of error has which, and what it means."""

# kind of error -> exit code and status word of the result
EXITS = {
    "internal": (1, "failed"),
    "usage": (2, "failed"),
    "auth": (3, "failed"),
    "running": (4, "running"),
    "refused": (5, "refused"),
    "unavailable": (6, "failed"),
    "budget": (7, "failed"),
    "unknown": (8, "unknown"),
    "output": (9, "failed"),
    "rejected": (10, "rejected"),
    "failed": (11, "failed"),
    "unverified": (12, "unverified"),
    "interrupted": (130, "interrupted"),
}
EXIT_CODES = """\
exit codes:
  0 done, or already done             8 unknown whether a paid call was taken
  2 bad input, nothing sent           9 result not usable, or not writable here
  3 no key, key refused, no credit   10 request not taken, nothing made
  4 running: same command resumes    11 the job was accepted and failed
  5 refused by the model or filter   12 no candidate is good enough: look
  6 gateway not available: later    130 interrupted: same command resumes
  7 over the limit, nothing sent      1 a bug in this tool"""
# After these the same command resumes, so `next` is that command.
SAME_COMMAND_RESUMES = ("running", "auth", "unavailable", "unknown", "output", "interrupted")
