#!/usr/bin/env bash
# Build the wheel of this project, the same bytes for the same commit. Usage: wheel.sh FOLDER [PYTHON]
# PYTHON has setuptools; by default that of .venv. The wheel is for the processor it is built on (the native matcher).
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/ship/root.sh
mkdir -p "$1"
target=$(cd "$1" && pwd) python=${2:-$PWD/.venv/bin/python}
aside=$(mktemp -d)
trap 'rm -rf "$aside"' EXIT
tools/ship/source.sh "$aside/source"
# Without what a debugger wants, which names the folder it was built in.
CFLAGS="-g0" "$python" -m pip wheel --quiet --no-deps --no-build-isolation --no-index --wheel-dir "$aside/made" "$aside/source"
rm -f "$target"/bluezone-*.whl
cp "$aside"/made/bluezone-*.whl "$target"
ls "$target"/bluezone-*.whl
