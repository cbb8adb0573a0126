"""Pumphouse moves tenants, whole, from an old OpenStack cloud to a new one."""
