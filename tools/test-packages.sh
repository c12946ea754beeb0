#!/usr/bin/env bash
# System packages that tests use; a test whose package is missing skips and says so by name.
set -uo pipefail
cd "$(dirname "$0")/.."
. tools/system-packages.sh
command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || need_package chromium "the tests marked browser" || true
