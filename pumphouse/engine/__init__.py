"""The engine: a process that does what was asked for over the API, and goes on with what others left behind.

The API only writes down what is wanted (``engine.requests``), as a job. An engine takes it (``engine.engine``) and
does it (``engine.work``) with the same code as the command line. Several engines may serve one database.
"""
