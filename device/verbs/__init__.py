"""What each verb of the command line does, and how a run ends."""
