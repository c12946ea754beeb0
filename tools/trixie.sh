#!/usr/bin/env bash
# Run `make test` with the Python of Debian 13 (trixie), in a chroot of a clean clone of what is committed here.
# DEBIAN_RELEASE names another one; forky has Python 3.14.
# Usage: trixie.sh [arguments of make], as root. TRIXIE_FOLDER keeps the chroot for the next run (default below).
# It uses the mirror, the certificates and the package clients' settings of this machine.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/system-packages.sh
release=${DEBIAN_RELEASE:-trixie}
folder=${TRIXIE_FOLDER:-${TMPDIR:-/tmp}/bluezone-$release}
[ "$(id -u)" = 0 ] || { echo "trixie: a chroot needs root" >&2; exit 1; }
command -v debootstrap >/dev/null 2>&1 || need_package debootstrap "the chroot of Debian" required

if [ ! -e "$folder/.complete" ]; then
  mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
    grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 || true)
  [ -n "$mirror" ] || { echo "trixie: no Debian mirror among the sources of apt" >&2; exit 1; }
  rm -rf "$folder"
  debootstrap --variant=minbase --include=ca-certificates,git,make,gcc,libc6-dev,python3-venv,procps "$release" "$folder" "$mirror" \
    /usr/share/debootstrap/scripts/sid
  touch "$folder/.complete"
fi
# What the package clients of this machine use to reach their registries: files named by the environment, and settings.
for named in $(env | grep -oE '=/[^:]+$' | cut -c2-) /etc/pip.conf /etc/resolv.conf /etc/hosts "$HOME/.npmrc" /etc/npmrc; do
  case $named in
    */cert*|*/ca-*|*.crt|*.pem|*.conf|/etc/hosts|*npmrc) [ -f "$named" ] && mkdir -p "$folder$(dirname "$named")" && cp -L "$named" "$folder$named" ;;
  esac
done
cp -r /etc/apt/apt.conf.d/. "$folder/etc/apt/apt.conf.d/"
[ -d /usr/local/share/ca-certificates ] && mkdir -p "$folder/usr/local/share/ca-certificates" && cp -rL /usr/local/share/ca-certificates/. "$folder/usr/local/share/ca-certificates/"

rm -rf "$folder/project"
git clone -q . "$folder/project"
# Mounts of a namespace of their own: they end with the run, however it ends.
exec unshare --mount --propagation private bash -c '
  set -e
  folder=$1; shift
  for part in proc sys dev dev/shm; do mount --rbind "/$part" "$folder/$part" 2>/dev/null || true; done
  chroot "$folder" /usr/bin/env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    sh -c "update-ca-certificates >/dev/null 2>&1; cd /project && python3 --version && make test \"\$@\"" sh "$@"
' bash "$folder" "$@"
