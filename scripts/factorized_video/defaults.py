"""Numbers that both the options and the rooms below them need."""

CONCURRENCY = 4  # runs at once, unless --concurrency is given: gateways limit requests a minute
MOST_AT_ONCE = 256
MOST_SHARDS = 1_000
EXTEND = "extend"  # the fit that is a paid edit: of the orchestrator alone
FITS = ("crop", "pad", "none")  # how a picture of another shape becomes a first frame
MOST_CANDIDATES = 12  # more do not fit on a contact sheet that can be read
