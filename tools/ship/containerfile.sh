#!/usr/bin/env bash
# Build the Containerfile with buildah, on a Debian made by mmdebstrap instead of an image from elsewhere, as root.
# Usage: containerfile.sh FOLDER; prints the path of an OCI archive in it. No daemon, no registry of images.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/ship/root.sh
. tools/system-packages.sh
command -v buildah >/dev/null 2>&1 || need_package buildah "the Containerfile" required
command -v mmdebstrap >/dev/null 2>&1 || need_package mmdebstrap "the base of the Containerfile" required
mkdir -p "$1"
target=$(cd "$1" && pwd)
root=$ship_folder/trixie-base
make_root trixie "$root" ca-certificates
lend_settings "$root"
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs
base=$(buildah from scratch)
trap 'buildah rm "$base" >/dev/null' EXIT
buildah add --quiet "$base" "$root" / >/dev/null
buildah commit --quiet "$base" localhost/debian-of-this-machine >/dev/null
buildah build --quiet --network=host --format=docker --build-arg BASE=localhost/debian-of-this-machine --tag localhost/bluezone . >/dev/null
rm -f "$target/bluezone-containerfile.tar"
buildah push --quiet localhost/bluezone "oci-archive:$target/bluezone-containerfile.tar:bluezone" >&2
echo "$target/bluezone-containerfile.tar"
