"""Keystone: the Identity API v3, and the tables of its database that hold people and their passwords."""
