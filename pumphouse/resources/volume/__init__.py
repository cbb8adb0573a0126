"""Types of the Block Storage API (Cinder)."""
