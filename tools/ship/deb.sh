#!/usr/bin/env bash
# Build the Debian packages, one for each release of Debian, the same bytes for the same commit. As root.
# Usage: deb.sh FOLDER [SUITE...], by default bookworm (12) and trixie (13). docs/adr/0016-packages.md says why so.
# ARCHITECTURE=arm64 on another machine: emulated, for which the package qemu-user-static is enough.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/ship/root.sh
. tools/system-packages.sh
[ "$(id -u)" = 0 ] || { echo "deb: a chroot needs root" >&2; exit 1; }
command -v mmdebstrap >/dev/null 2>&1 || need_package mmdebstrap "roots of Debian" required
mkdir -p "$1"
target=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- bookworm trixie
version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' src/bluezone/__init__.py)
# What comes before a release sorts before it.
version=$(echo "$version" | sed -E 's/\.?(dev|a|b|rc)/~\1/')
aside=$(mktemp -d)
trap 'rm -rf "$aside"' EXIT

for suite in "$@"; do
  case $suite in bookworm) number=12 python=3.11 next=3.12 ;; trixie) number=13 python=3.13 next=3.14 ;;
    *) echo "deb: no package for $suite; there are bookworm and trixie" >&2; exit 2 ;;
  esac
  tree=$aside/$suite
  mkdir -p "$tree/DEBIAN" "$tree/usr/bin" "$tree/usr/lib/systemd/system" "$tree/etc/bluezone" "$tree/usr/share/doc/bluezone"
  tools/ship/tree.sh "$suite" "$tree"
  ln -s ../lib/bluezone/bin/bluezone "$tree/usr/bin/bluezone"
  install -m 0644 deploy/debian/*.service deploy/debian/*.path deploy/debian/*.timer "$tree/usr/lib/systemd/system"
  install -D -m 0644 -t "$tree/usr/lib/udev/rules.d" deploy/debian/85-bluezone-stick.rules
  install -m 0600 deploy/debian/*.env "$tree/etc/bluezone"
  install -m 0644 deploy/debian/copyright docs/operating.md docs/appliances.md docs/upgrading.md docs/reference/settings.md docs/alerts.yml "$tree/usr/share/doc/bluezone"
  gzip -9n < CHANGELOG.md > "$tree/usr/share/doc/bluezone/changelog.gz"
  install -m 0755 deploy/debian/config deploy/debian/postinst deploy/debian/prerm deploy/debian/postrm "$tree/DEBIAN"
  install -m 0644 deploy/debian/templates "$tree/DEBIAN"
  (cd "$tree" && find etc -type f -printf '/%p\n' | sort > DEBIAN/conffiles && find usr etc -type f -printf '%P\n' > /dev/null &&
    find usr etc -type f -print0 | sort -z | xargs -0 md5sum > DEBIAN/md5sums)
  sed -e "s/@VERSION@/$version+deb$number/; s/@ARCHITECTURE@/$architecture/; s/@PYTHON@/$python/; s/@NEXT_PYTHON@/$next/" \
    -e "s/@SIZE@/$(du -k -s --apparent-size "$tree/usr" | cut -f1)/" deploy/debian/control > "$tree/DEBIAN/control"
  find "$tree" -print0 | xargs -0 touch --no-dereference --date="@$SOURCE_DATE_EPOCH"
  file=$target/bluezone_$version+deb${number}_$architecture.deb
  rm -f "$target"/bluezone_*+deb"${number}"_"$architecture".deb
  # As many threads as it likes give the same bytes.
  dpkg-deb --root-owner-group -Zzstd -z9 --build "$tree" "$file" >/dev/null
  rm -rf "$tree"
  echo "$file"
done
