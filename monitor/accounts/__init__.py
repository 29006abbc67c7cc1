"""Accounts: what shops and anchors let us do on their platforms, kept alive, and the client that asks with it."""
