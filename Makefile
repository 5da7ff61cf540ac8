# The front door. CMake does the work (CMakeLists.txt, CMakePresets.json); this file names the things people ask for.
BUILD  = build
PREFIX = /usr/local
JOBS  := $(shell nproc 2>/dev/null || echo 2)
PYTEST = .venv/bin/python -m pytest tests

MAKEFLAGS += --no-print-directory

.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: all demo check test test-long coverage bench install uninstall clean format help

all: $(BUILD)/CMakeCache.txt
	@cmake --build $(BUILD) --parallel $(JOBS)

# `CC=clang make` counts the first time; `make clean` forgets it.
$(BUILD)/CMakeCache.txt: CMakePresets.json
	@tools/setup --only-say build
	@cmake --preset default

demo:
	@tools/setup build demo
	@$(MAKE) all
	@tools/demo

check:
	@tools/setup build check
	@$(PYTEST) -n auto --maxprocesses 8 -m quick

test:
	@tools/setup build check test
	@$(PYTEST) -n auto --maxprocesses 8 -m "not long" --durations 10

test-long:
	@tools/setup build check test demo coverage long
	@$(PYTEST) -n auto --maxprocesses 8 --durations 20

coverage:
	@tools/setup build check coverage
	@tools/coverage

bench:
	@tools/setup build bench
	@$(MAKE) all
	@bench/run.py

install: all
	@cmake --install $(BUILD) --prefix $(PREFIX)

uninstall:
	@test -f $(BUILD)/install_manifest.txt || { echo "nothing was installed from $(BUILD)/" >&2; exit 1; }
	@while read -r file || [ -n "$$file" ]; do echo "-- Removing: $(DESTDIR)$$file"; rm -f "$(DESTDIR)$$file"; done \
	    < $(BUILD)/install_manifest.txt

clean:
	@rm -rf $(BUILD) build-clang build-asan build-tsan build-debug build-fuzz build-afl build-coverage build-valgrind

format:
	@clang-format -i $$(git ls-files '*.c' '*.h')

help:
	@echo 'make             build the command and the library: $(BUILD)/downhill, $(BUILD)/libdownhill.a and .so'
	@echo 'make demo        train on the 60,000 images of Fashion-MNIST and test on 10,000 (installs what it needs)'
	@echo 'make check       the quick tests, under a minute (installs what they need)'
	@echo 'make test        all tests under gcc, clang and sanitizers, under 15 minutes (installs what they need)'
	@echo 'make test-long   all of those and the slow ones'
	@echo 'make coverage    count the branches that the tests take, a table and what must be taken (installs what it needs)'
	@echo 'make bench       time a step beside other libraries and rewrite the tables (installs 6 GB, takes a quarter of an hour)'
	@echo 'make install     into $(PREFIX); PREFIX=/elsewhere and DESTDIR= are obeyed'
	@echo 'make uninstall   take out what `make install` put there'
	@echo 'make clean       remove the build folders'
	@echo 'make format      clang-format over every C file'
