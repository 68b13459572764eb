"""The clearinghouse's doors to the outside: SQL and HTTP."""
