"""Both ways compared, clips evaluated, many prompts. Removable: only the command line knows it."""
