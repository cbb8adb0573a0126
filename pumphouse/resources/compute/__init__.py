"""Types of the Compute API (Nova)."""
