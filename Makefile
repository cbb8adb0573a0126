# The commands of this project; `make` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# A Python of 3.11 or later: the one on PATH, or the system's, or a versioned one.
PYTHON ?= $(shell for p in python3 /usr/bin/python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
ifeq ($(strip $(PYTHON)),)
$(error Python 3.11 or later is needed: install python3, or say make PYTHON=/path/to/python)
endif

.PHONY: help demo test lint format venv contract chaos bench-transfer bench-plan which-python lab lab-demo lab-down lab-status lab-wipe

help:  ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

demo:  ## two embedded clouds, a lifelike tenant, and its move with plan, progress and report
	@PYTHON=$(PYTHON) tools/demo

test:  ## lint, and all tests that can run here; the acceptance tests bring up two clouds
	@PYTHON=$(PYTHON) tools/test

lint: venv  ## ruff and mypy
	@tools/lint

format: venv  ## let ruff format the code
	@.venv/bin/ruff check --quiet --fix . ; .venv/bin/ruff format .

contract: venv  ## what embedded clouds and the real ones of the lab have in common, on all four (half an hour)
	@PUMPHOUSE_CONTRACT_REAL=1 .venv/bin/python -m pytest -q tests/contract

chaos: venv  ## a tenant is moved again and again, and killed and disturbed at every point (days; ARGS="--sample 50")
	@.venv/bin/python -m tests.chaos $(ARGS)

bench-transfer: venv  ## image bytes per second, beside curl, between the clouds of $PUMPHOUSE_CONFIG or the lab
	@.venv/bin/python -m benchmarks.transfer

bench-plan: venv  ## what plans of 100 to 10,000 servers cost, and a migration beside its bytes, on embedded clouds
	@.venv/bin/python -m benchmarks.plan

bench-api: venv  ## how quick the service answers with 10,000 servers in each of two embedded clouds
	@.venv/bin/python -m benchmarks.api

venv:  ## .venv with the package, its test tools and the tested pins
	@tools/venv $(PYTHON)

which-python:
	@echo $(PYTHON)

lab:  ## install (first time) and start the two clouds of the test bed; docs/lab.md
	@$(PYTHON) -m tests.lab up

lab-demo:  ## the same as `make demo`, on the two real clouds of the lab
	@PYTHON=$(PYTHON) tools/lab-demo

lab-down:  ## stop the two clouds; their state stays
	@$(PYTHON) -m tests.lab down

lab-status:  ## what of the two clouds runs, with its memory
	@$(PYTHON) -m tests.lab status

lab-wipe:  ## stop the two clouds and forget their state; the next start is from the template
	@$(PYTHON) -m tests.lab wipe
