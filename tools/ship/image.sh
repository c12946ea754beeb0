#!/usr/bin/env bash
# Build the container image as an OCI layout in one tar: Debian 13, our package, a user of its own. As root.
# Usage: image.sh FOLDER, in which the package for Debian 13 lies (deb.sh). No daemon, no base image from elsewhere.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/ship/root.sh
. tools/system-packages.sh
[ "$(id -u)" = 0 ] || { echo "image: a root file system needs root" >&2; exit 1; }
command -v mmdebstrap >/dev/null 2>&1 || need_package mmdebstrap "the root of the image" required
target=$(cd "$1" && pwd)
package=$(ls "$target"/bluezone_*+deb13_"$architecture".deb)
version=$(dpkg-deb -f "$package" Version | sed 's/+deb13$//; s/~/-/')
# Our dependencies, the first of each choice; what is only for a machine with systemd is there, and idle.
needed=$(dpkg-deb -f "$package" Depends | sed -E 's/ *\([^)]*\)//g; s/ *\|[^,]*//g; s/, */\n/g' | sort -u | paste -sd,)
aside=$(mktemp -d)
trap 'rm -rf "$aside"' EXIT
mmdebstrap --quiet --variant=minbase --include="$needed,ca-certificates,tzdata" \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
  --customize-hook='chroot "$1" groupadd --gid 10001 bluezone' \
  --customize-hook='chroot "$1" useradd --uid 10001 --gid 10001 --home-dir /var/lib/bluezone --no-create-home --shell /usr/sbin/nologin bluezone' \
  --customize-hook="cp '$package' \"\$1/bluezone.deb\"" \
  --customize-hook='chroot "$1" env DEBIAN_FRONTEND=noninteractive dpkg --install /bluezone.deb >/dev/null 2>&1; chroot "$1" dpkg --audit' \
  --customize-hook='cd "$1" && rm -rf bluezone.deb var/log/* var/cache/* var/lib/apt/lists/* var/backups/* tmp/* etc/machine-id etc/hostname etc/resolv.conf var/lib/bluezone-gate var/lib/bluezone-speaker' \
  trixie "$aside/root" "$(mirror)"
# Sorted, with no time after that of the commit and no name of an account of this machine.
tar --directory="$aside/root" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --clamp-mtime --numeric-owner --one-file-system \
  --format=pax --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime \
  --exclude='./dev/*' --exclude='./proc/*' --exclude='./sys/*' --exclude='./run/*' -c . > "$aside/root.tar"
rm -f "$target"/bluezone-*-oci-*.tar
file=$target/bluezone-$version-oci-$architecture.tar
python3 tools/ship/oci.py "$aside/root.tar" "$file" "$version" "$architecture" "$SOURCE_DATE_EPOCH"
echo "$file"
