"""A server that lies, and a device whose power fails: everything arrives exactly once all the same."""
