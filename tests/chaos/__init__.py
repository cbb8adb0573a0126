"""Chaos: one tenant with everything is moved between two embedded clouds, again and again, and each time disturbed.

A run may be killed (SIGKILL) before or after any request that changes something, amid any copy, and whenever a task
changes its state; and any request may meet any fault that ``pumphouse.embedded.faults`` knows. Then it is resumed, and
both clouds are compared with those of an undisturbed run: equal, nothing doubled, nothing left.

``python -m tests.chaos`` runs them all (``make chaos``); the tests run a sample with a fixed seed.
"""
