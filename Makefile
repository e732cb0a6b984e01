# Every target prepares its requirements; a second run of a target is quick.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
# Without bytecode each `pulumi` command compiles the providers' libraries again: 8 s instead of 3.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: venv
venv: ## Create the virtual environment from uv.lock
	@$(PYTHON) -m sandbox.bootstrap

.PHONY: up
up: venv ## Start a cloud and a cluster on this machine, run `pulumi up`, wait until all targets are healthy
	@$(BIN)/sandbox up

.PHONY: down
down: venv ## Run `pulumi destroy`, then stop everything
	@$(BIN)/sandbox down

.PHONY: shell
shell: venv ## Open a shell where `pulumi`, `kubectl` and `sandbox` use the sandbox
	@$(BIN)/sandbox shell

.PHONY: tools
tools: venv ## Find, download or build the sandbox's tools
	@$(BIN)/python -m sandbox.toolchain

.PHONY: chart
chart: venv ## Package the Helm chart into dist/
	@helm=$$($(BIN)/python -m sandbox.toolchain helm) && $$helm package chart --destination dist

.PHONY: lint
lint: venv ## Check formatting, rules, types and layers; print figures on the text
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tests.words

# Tests without a process or a socket of the sandbox.
PURE := tests/unit tests/program tests/simulation tests/conformance tests/mutation
# Tests of `pulumi up`, of images, tools and benches, of several replicas, of a whole sandbox, or of a minute each.
LONG := tests/changes tests/e2e $(addprefix tests/integration/,infra plugins awsprovider image bench ha sandbox toolchain \
  bootstrap syncer/minutes)
# The files in the order of tests/conftest.py: files that wait beside files that fill the cores.
BY_FILE := --dist loadfile --no-loadscope-reorder
# thorough: a hundred examples of each property instead of 25 (tests/conftest.py).
PROFILE := quick
.PHONY: test
test: tools ## Run the tests: unit, program, simulation, integration (15 minutes)
	@$(BIN)/pytest --skips-as-listed --hypothesis-profile $(PROFILE) -n 3 $(BY_FILE) tests/integration $(PURE) \
	  $(addprefix --ignore=,$(LONG))

# The two parts of the table of docs/changes.md have a sandbox each, as the files of tests/e2e have.
.PHONY: test-changes
test-changes: tools ## Run the tests that deploy and edit stacks, each row of docs/changes.md among them (45 minutes)
	@$(BIN)/pytest --skips-as-listed -n 3 $(BY_FILE) $(LONG)

.PHONY: test-unit
test-unit: venv ## Run the unit tests
	@$(BIN)/pytest --skips-as-listed -n 2 --dist loadfile tests/unit

# Tests of the image's content: the syncer, with a real API server and the simulated AWS.
ON_IMAGE_PYTHON := tests/unit tests/simulation $(addprefix tests/integration/,cluster syncer)
.PHONY: test-image-python
test-image-python: tools ## Run the tests under the image's Python (docs/toolchain.md; IMAGE_PYTHON=PATH)
	@$(BIN)/python -m sandbox.imagepython $(if $(IMAGE_PYTHON),--python $(IMAGE_PYTHON)) \
	  pytest --skips-as-listed -n 3 $(BY_FILE) $(ON_IMAGE_PYTHON) --ignore=tests/integration/syncer/minutes

.PHONY: image
image: venv ## Build the syncer's image; PUSH=REGISTRY/NAME:TAG pushes it (docs/image.md: BASE, PLATFORMS)
	@$(BIN)/python -m sandbox.image $(if $(PUSH),--push "$(PUSH)") $(if $(PLATFORMS),--platforms "$(PLATFORMS)") \
	  $(if $(BASE),--base "$(BASE)") $(if $(BUILD_BASE),--build-base "$(BUILD_BASE)") $(if $(NAME),--name "$(NAME)") \
	  $(if $(SOURCE),--source "$(SOURCE)")

.PHONY: wheel
wheel: venv ## Build the wheel into dist/
	@$(BIN)/python -m sandbox.wheel

.PHONY: bench
bench: tools ## Measure cost and speed of the syncer and its peers (over an hour; docs/bench.md)
	@$(BIN)/python -m bench

.PHONY: check
check: lint test test-changes test-image-python ## Run all checks of CI
