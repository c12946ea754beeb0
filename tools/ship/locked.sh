#!/bin/sh
# Put the wheels of what a lock file pins into a folder, each download checked against its hash; what is published as
# source alone is built with the setuptools that the lock file pins. Usage: locked.sh PYTHON LOCK FOLDER
set -eu
aside=$(mktemp)
trap 'rm -f "$aside"' EXIT
sed -n '/^setuptools==/,/^    # via/p' "$2" > "$aside"
"$1" -m pip install --quiet --require-hashes --requirement "$aside"
"$1" -m pip wheel --quiet --require-hashes --no-build-isolation --requirement "$2" --wheel-dir "$3"
