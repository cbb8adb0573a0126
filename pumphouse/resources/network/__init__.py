"""Types of the Networking API (Neutron)."""
