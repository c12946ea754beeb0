#!/usr/bin/env bash
# Copy the files of this project, and nothing that lies about beside them, into a new folder. Usage: source.sh FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.."
rm -rf "$1" && mkdir -p "$1"
git ls-files -z --cached --others --exclude-standard -- src pyproject.toml setup.py README.md LICENSE CHANGELOG.md requirements.lock deploy |
  while IFS= read -r -d "" name; do [ -e "$name" ] && printf '%s\0' "$name"; done |
  tar --null --files-from=- -c | tar -x -C "$1"
