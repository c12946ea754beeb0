#!/usr/bin/env bash
# Lint and render the chart, and load the compose file, with Helm and Compose's own loader, which Go's proxy gives.
# Usage: lint.sh [HOTLINE]; prints the rendered chart. The two programs are built once, into build/ship/bin.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/ship/root.sh
bin=$ship_folder/bin
mkdir -p "$bin"
command -v go >/dev/null 2>&1 || { echo "lint: needs go, to build helm and compose-go" >&2; exit 3; }
[ -x "$bin/helm" ] || GOBIN=$bin go install helm.sh/helm/v3/cmd/helm@v3.22.0 >&2
[ -x "$bin/cmd" ] || GOBIN=$bin go install github.com/compose-spec/compose-go/v2/cmd@v2.16.2 >&2
"$bin/cmd" deploy/compose.yaml >/dev/null
# A Helm that was built by hand takes the cluster for an old one unless it is told.
chart=(deploy/helm/bluezone --kube-version 1.31.0 --set-string "city.hotline=${1:-115}")
"$bin/helm" lint --strict "${chart[@]}" >&2
"$bin/helm" template city "${chart[@]}" --set city.install_links.linux=https://bluezone.example.vn/linux \
  --set city.padding_mean=60 --set ingress.tlsSecret=names
