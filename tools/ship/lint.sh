#!/usr/bin/env bash
# Lint and render the chart, compare what is rendered with Kubernetes' schemas, and load the compose file. Helm and
# Compose's own loader come from Go's proxy, the schemas with a Python package; all are kept in build/ship.
# Usage: lint.sh [OPTION...] prints the rendered chart. OPTION: what `helm template` understands, such as --set.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/ship/root.sh
bin=$ship_folder/bin
schemas=$ship_folder/kubernetes
version=1.31.0
mkdir -p "$bin"
command -v go >/dev/null 2>&1 || { echo "lint: needs go, to build helm and compose-go" >&2; exit 3; }
[ -x "$bin/helm" ] || GOBIN=$bin go install helm.sh/helm/v3/cmd/helm@v3.22.0 >&2
[ -x "$bin/cmd" ] || GOBIN=$bin go install github.com/compose-spec/compose-go/v2/cmd@v2.16.2 >&2
if [ ! -x "$schemas/bin/kubernetes-validate" ]; then
  python3 -m venv "$schemas" >&2
  "$schemas/bin/python" -m pip install --quiet --require-hashes --requirement tools/ship/kubernetes-requirements.txt >&2
fi
"$bin/cmd" deploy/compose.yaml >/dev/null
# A Helm that was built by hand takes the cluster for an old one unless it is told.
chart=(deploy/helm/bluezone --kube-version "$version" --set-string "city.hotline=115" "$@")
"$bin/helm" lint --strict "${chart[@]}" >&2
rendered=$(mktemp)
trap 'rm -f "$rendered"' EXIT
"$bin/helm" template city "${chart[@]}" >"$rendered"
# Resources of Prometheus' operator are not Kubernetes' own: there is no schema of them here.
"$schemas/bin/kubernetes-validate" --quiet --strict --kubernetes-version "$version" "$rendered" >&2
cat "$rendered"
