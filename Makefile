# The commands of this project; `make` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# A Python of 3.11 or later: the one on PATH, or the system's, or a versioned one.
PYTHON ?= $(shell for p in python3 /usr/bin/python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
ifeq ($(strip $(PYTHON)),)
$(error Python 3.11 or later is needed: install python3, or say make PYTHON=/path/to/python)
endif

.PHONY: help lab lab-down lab-status lab-wipe

help:  ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

lab:  ## install (first time) and start the two clouds of the test bed; docs/lab.md
	@$(PYTHON) -m tests.lab up

lab-down:  ## stop the two clouds; their state stays
	@$(PYTHON) -m tests.lab down

lab-status:  ## what of the two clouds runs, with its memory
	@$(PYTHON) -m tests.lab status

lab-wipe:  ## stop the two clouds and forget their state; the next start is from the template
	@$(PYTHON) -m tests.lab wipe
