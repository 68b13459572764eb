"""The clearinghouse's adapters: its store in Postgres and in memory, and HTTP."""
