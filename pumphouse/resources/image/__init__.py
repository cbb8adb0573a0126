"""Types of the Image API (Glance)."""
