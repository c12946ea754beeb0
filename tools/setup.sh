#!/usr/bin/env bash
# Make .venv with the newest Python >= 3.11 found and install what the lock files pin. Usage: setup.sh [run|dev]
# Run again at will: it does nothing when the locks it installed have not changed.
set -euo pipefail
cd "$(dirname "$0")/.."
kind=${1:-run}
lock=requirements.lock
[ "$kind" = dev ] && lock=requirements-dev.lock
. tools/system-packages.sh

# The system's own Python comes before one of the same version from elsewhere: only that one is built with AF_BLUETOOTH.
newest_python() {
  local candidate version best="" best_version=0
  for candidate in /usr/bin/python3.{20,19,18,17,16,15,14,13,12,11} /usr/bin/python3 python3.{20,19,18,17,16,15,14,13,12,11} python3 python; do
    command -v "$candidate" >/dev/null 2>&1 || continue
    version=$("$candidate" -c 'import sys; print(sys.version_info[0] * 100 + sys.version_info[1])' 2>/dev/null) || continue
    if [ "$version" -ge 311 ] && [ "$version" -gt "$best_version" ]; then best=$candidate best_version=$version; fi
  done
  [ -n "$best" ] || { echo "setup: no Python >= 3.11 found. On Debian, Ubuntu or Raspberry Pi OS: sudo apt-get install python3 python3-venv" >&2; exit 1; }
  echo "$best"
}

# The native matcher is built anew when its source changes or a compiler has come; without one bluezone does without.
compiler=$(command -v cc || true)
want=$({ cat "$lock" pyproject.toml setup.py src/bluezone/protocol/_kernel.c src/bluezone/planning/_simulation.c tools/setup.sh; echo "$compiler"; } | sha256sum | cut -c1-64)
stamp=.venv/.installed-$kind
if [ -x .venv/bin/bluezone ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ]; then exit 0; fi

if [ ! -x .venv/bin/python ]; then
  python=$(newest_python)
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  "$python" -c 'import ensurepip' 2>/dev/null || need_package "python$version-venv" "making a virtual environment" required
  echo "setup: making .venv with $python ($version)" >&2
  "$python" -m venv .venv
fi
# Older pips read no system store by themselves.
[ -z "${PIP_CERT:-}" ] && [ -r /etc/ssl/certs/ca-certificates.crt ] && export PIP_CERT=/etc/ssl/certs/ca-certificates.crt
export UV_SYSTEM_CERTS=1 UV_PYTHON_DOWNLOADS=never PIP_DISABLE_PIP_VERSION_CHECK=1 UV_LINK_MODE=copy
[ -x .venv/bin/uv ] || .venv/bin/python -m pip install --quiet uv
echo "setup: installing what $lock pins" >&2
.venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r "$lock"
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
echo "$want" > "$stamp"
