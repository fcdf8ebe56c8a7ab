"""Every text that goes to a model, one file a task, and the reading of its JSON answer. Pure."""
