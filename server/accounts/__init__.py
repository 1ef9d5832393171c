"""Accounts: people on this server, their tokens, and the requests that they sign."""
