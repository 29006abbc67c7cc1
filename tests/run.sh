#!/usr/bin/env bash
# All tests. Those that measure how soon an answer comes have the machine to themselves. Of the others much of the time is
# waiting (for a feed that is away for a minute, for a grace to run out), so four processes share the machine: whichever
# is free takes the next file (tests/conftest.py: some are taken together).
set -euo pipefail
cd "$(dirname "$0")/.."
alone=(
    tests/acceptance/test_sales.py tests/acceptance/test_real_looks.py tests/faults/test_poison.py
    tests/http/test_hooks_load.py tests/http/test_rooms_page_load.py
)
slowest=(--durations 40 --durations-min 5)
.venv/bin/pytest "${alone[@]}"
.venv/bin/pytest -n 4 --no-loadscope-reorder "${slowest[@]}" "${alone[@]/#/--ignore=}"
