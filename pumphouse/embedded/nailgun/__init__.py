"""An embedded Nailgun, Fuel's API, in three flavours: 6.0, 9.2 and 11.0.

What real Nailguns answered is recorded (see tests/contract/test_nailgun.py); this one gives the same status codes,
bodies and refusals, and behaves as they do at bad moments: a node that comes back under a new id, tasks that have
failed before they are answered, progress that falls. The machines are pretended: who POSTs what fuel's agent POSTs
is one (``agent``). State is in memory. Like the embedded clouds it runs in a process of its own (``process``).
"""
