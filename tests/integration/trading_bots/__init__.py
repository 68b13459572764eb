"""Tests that share one venue: the folder is a package so that its venue ends with its last test."""
