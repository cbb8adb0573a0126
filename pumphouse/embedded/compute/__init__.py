"""Nova: the Compute API 2.1 with its microversions."""
