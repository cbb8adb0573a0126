"""Neutron: the Networking API v2.0, with Linux bridges (Zed) or OVN (2026.1)."""
