"""The two clouds: sessions, clients, versions; waiting; Keystone's password tables."""
