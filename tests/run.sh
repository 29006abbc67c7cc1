#!/usr/bin/env bash
# All tests. Those that measure how soon an answer comes have the machine to themselves. Of the others much of the time is
# waiting (for a feed that is away for a minute, for a grace to run out), so three runs share the machine.
set -euo pipefail
cd "$(dirname "$0")/.."
alone=(tests/acceptance/test_sales.py tests/http/test_hooks_load.py)
waiting=(tests/acceptance tests/accounts tests/boards)
watching=(tests/acceptance/alerts tests/history tests/faults)
.venv/bin/pytest "${alone[@]}"
said=$(mktemp -d)
trap 'rm -rf "$said"' EXIT
.venv/bin/pytest "${waiting[@]}" --ignore=tests/acceptance/alerts "${alone[@]/#/--ignore=}" >"$said/waiting" 2>&1 &
first=$!
.venv/bin/pytest "${watching[@]}" >"$said/watching" 2>&1 &
second=$!
failed=0
.venv/bin/pytest "${waiting[@]/#/--ignore=}" "${watching[@]/#/--ignore=}" "${alone[@]/#/--ignore=}" || failed=1
wait "$first" || failed=1
wait "$second" || failed=1
cat "$said/waiting" "$said/watching"
exit "$failed"
