"""Moving bytes, and telling how far they are."""
