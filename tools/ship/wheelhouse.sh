#!/usr/bin/env bash
# A folder from which bluezone is installed without a network: its wheel, those it needs, and their checksums.
# Usage: wheelhouse.sh [FOLDER [PYTHON]]. It is for the Python and the processor that make it.
# What is fetched is checked against the hashes of requirements.lock.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${1:-build/wheelhouse} python=${2:-$PWD/.venv/bin/python}
rm -rf "$folder" && mkdir -p "$folder"
[ -z "${PIP_CERT:-}" ] && [ -r /etc/ssl/certs/ca-certificates.crt ] && export PIP_CERT=/etc/ssl/certs/ca-certificates.crt
tools/ship/locked.sh "$python" requirements.lock "$folder"
rm -f "$folder"/setuptools-*.whl
tools/ship/wheel.sh "$folder" "$python" >/dev/null
"$python" - "$folder" <<'END'
"""Name each wheel by version and checksum, so that pip installs these and no others."""
import hashlib, pathlib, sys
folder = pathlib.Path(sys.argv[1])
lines = []
for path in sorted(folder.glob("*.whl")):
    name, version = path.name.split("-")[:2]
    lines.append(f"{name.replace('_', '-').lower()}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}")
(folder / "requirements.txt").write_text("\n".join(lines) + "\n")
END
echo "install: python3 -m venv VENV && VENV/bin/pip install --no-index --find-links $folder --require-hashes -r $folder/requirements.txt"
