"""From the outbox to the server: what is sent when, in batches or one by one, and what an answer means. Decides nothing
that is in `device/core`."""
