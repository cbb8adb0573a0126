"""Embedded clouds: an OpenStack that fits in a pocket, for tests, for chaos, and to try Pumphouse without root.

Each cloud is a process of its own with a real HTTP server (``server``), which speaks the calls of Keystone, Glance,
Nova, Neutron, Cinder and Placement that Pumphouse and its tests use, as one of two releases does (``releases``).
State is in memory; bytes are files; Keystone's tables are a real database with real hashes. What a service is lies
in one package each. The truth is in real clouds: the contract tests run against both.
"""
