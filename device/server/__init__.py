"""The server's side: HTTP transport, account and one client for BookLore and Grimmory. Decides nothing about data."""
