"""Schemathesis against the real server: two people, and objects that exist."""
