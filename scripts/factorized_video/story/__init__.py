"""A film of several shots with the same people in it. Removable: only the command line knows it."""
