"""Roles of clients on the market. That of an administrator belongs to keys: `api_keys`."""

TRADER = "trader"
"""The role of those who compete: each starts with the same, and standings rank them."""
