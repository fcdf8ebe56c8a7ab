"""The embedded gateway: offline, free, no key. What it makes are placeholders, stamped DEMO."""
