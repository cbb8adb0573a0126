"""The test bed: two real OpenStack clouds side by side on one machine.

`src` is an older release (Zed, from Debian 12's packages), `dst` a newer one (2026.1, from PyPI
in a virtual environment of its own).  `python3 -m tests.lab` starts and stops them; docs/lab.md
describes them.  Only the standard library is used, so that the lab runs before anything is installed.
"""
