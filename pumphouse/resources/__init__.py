"""Resource types: one file each, in the folder of its service."""
