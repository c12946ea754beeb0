#!/usr/bin/env bash
# Rewrite the lock files from pyproject.toml: pinned by version and hash, no address of an index in them.
set -euo pipefail
cd "$(dirname "$0")/.."
uv() { UV_SYSTEM_CERTS=1 UV_PYTHON_DOWNLOADS=never .venv/bin/uv "$@"; }
common=(pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 --all-extras --group build)
uv "${common[@]}" --output-file requirements.lock pyproject.toml
uv "${common[@]}" --group dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml
