"""The command line: cliff commands, thin. Heavy imports are inside functions, so that ``--help`` is quick."""
