"""What each stage does: its request, its plan, its paid call, its output."""
