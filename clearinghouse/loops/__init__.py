"""The clearinghouse's thread: events in, settlements out."""
