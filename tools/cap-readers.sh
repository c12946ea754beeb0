#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Bring readers of alerts that others wrote into build/cap-readers, pinned by hash, for tests/messaging/cap/test_readers.py.
set -euo pipefail
cd "$(dirname "$0")/.."
pinned=tests/vectors/cap/readers into=build/cap-readers
mkdir -p "$into"
.venv/bin/python -m pip install --quiet --require-hashes --no-deps --upgrade --target "$into/python" -r "$pinned/requirements.txt"
cp "$pinned/package.json" "$pinned/package-lock.json" "$into/"
npm ci --prefix "$into" --ignore-scripts --no-audit --no-fund --silent
