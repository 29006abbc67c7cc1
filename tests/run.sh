#!/usr/bin/env bash
# All tests. Those that measure how soon an answer comes have the machine to themselves. Of the others most of the time is
# waiting (for a feed that is away for a minute, for a grace to run out), so two runs share the machine.
set -euo pipefail
cd "$(dirname "$0")/.."
alone=(tests/acceptance/test_sales.py tests/http/test_hooks_load.py)
.venv/bin/pytest "${alone[@]}"
whole=$(mktemp)
trap 'rm -f "$whole"' EXIT
.venv/bin/pytest tests/acceptance "${alone[@]/#/--ignore=}" >"$whole" 2>&1 &
acceptance=$!
parts=0
.venv/bin/pytest --ignore=tests/acceptance "${alone[@]/#/--ignore=}" || parts=$?
wholes=0
wait "$acceptance" || wholes=$?
cat "$whole"
[ "$parts" = 0 ] && [ "$wholes" = 0 ]
