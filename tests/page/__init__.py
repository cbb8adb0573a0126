"""The service as a process, and its page in a real Chromium: for tests on embedded clouds and on real ones."""
