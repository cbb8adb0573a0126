"""What both the embedded and the real clouds must do: the same tests run on all of them."""
