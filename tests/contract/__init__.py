"""The worker against the stand-in servers, traps included."""
