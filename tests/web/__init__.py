"""The web reader in a real browser: its own library, foliate-js, in headless Chromium, and tests of what it shows."""
