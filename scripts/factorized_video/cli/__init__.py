"""Options and their types, text and JSON output, exit codes."""
