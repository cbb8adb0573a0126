"""Types of the Identity API (Keystone)."""
