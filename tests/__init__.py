"""Proof that the promises hold, with the real thing wherever there is one."""
