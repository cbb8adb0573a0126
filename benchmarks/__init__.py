"""What Pumphouse costs, measured beside the plainest other way to do the same."""
