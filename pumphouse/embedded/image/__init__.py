"""The Image API v2 (Glance): images with their bytes, whom they are shared with, their schemas."""
