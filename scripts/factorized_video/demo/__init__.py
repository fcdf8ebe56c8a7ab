"""The embedded gateway: offline, free, no key. What it draws are labelled stand-ins."""
