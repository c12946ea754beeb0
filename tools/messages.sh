#!/usr/bin/env bash
# Extract the texts of pages, update the Vietnamese catalogue and compile it. Ends with 1 while a text has no translation.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/python tools/extract_messages.py
