"""Placement: how much of each host is free."""
