"""What ``pumphouse check`` tries: one module per subject; each probe yields findings as it goes."""
