"""The worker: everything that runs on the reader's device outside KOReader, in the restricted Python subset."""
