#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Boot a Debian kernel under QEMU and run the hci-socket adapter against its Bluetooth stack.
# Nothing is installed into the kernel of this machine; the guest sees this machine's files read-only.
set -euo pipefail
cd "$(dirname "$0")/../../.."
. tools/system-packages.sh
repository=$PWD
here=$repository/tests/radio/kernel
guest_seconds=${GUEST_SECONDS:-300}

[ "$(uname -m)" = x86_64 ] || { echo "test-kernel-bluetooth: written for x86_64, this is $(uname -m): not run" >&2; exit 1; }
command -v apt-get >/dev/null 2>&1 || { echo "test-kernel-bluetooth: needs apt-get to fetch a Debian kernel: not run" >&2; exit 1; }
command -v qemu-system-x86_64 >/dev/null 2>&1 || need_package qemu-system-x86 "test-kernel-bluetooth" required
if [ ! -x /usr/bin/busybox ] || ldd /usr/bin/busybox >/dev/null 2>&1; then # the guest has no libraries: a static one
  need_package busybox-static "test-kernel-bluetooth" required
fi

work=$(mktemp -d)
qemu=
clean_up() {
  [ -z "$qemu" ] || kill "$qemu" 2>/dev/null || true
  rm -rf "$work"
}
trap clean_up EXIT INT TERM

echo "test-kernel-bluetooth: fetching a kernel package (about 110 MB)" >&2
# The plain Debian kernel has Bluetooth; this machine's own or a cloud kernel may not.
find_kernel() { apt-cache depends linux-image-amd64 2>/dev/null | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -1; }
kernel=${KERNEL_PACKAGE:-$(find_kernel)}
[ -n "$kernel" ] || { apt-get update -qq >/dev/null 2>&1 || true; kernel=$(find_kernel); }
[ -n "$kernel" ] || { echo "test-kernel-bluetooth: no package linux-image-amd64 here: not run" >&2; exit 1; }
(cd "$work" && apt-get download -qq "$kernel" 2>/dev/null)
dpkg -x "$work"/linux-image-*.deb "$work/kernel"
rm -f "$work"/linux-image-*.deb

image=$work/initramfs
mkdir -p "$image/bin" "$image/modules" "$image/root" "$image/proc" "$image/dev"
cp /usr/bin/busybox "$image/bin/busybox"
cp "$here/init" "$image/init"
chmod 755 "$image/init"
number=10
for module in netfs 9pnet 9pnet_virtio 9p crc16 rfkill ecc ecdh_generic bluetooth hci_vhci; do # in order of need
  file=$(find "$work/kernel" -name "$module.ko*" | head -1)
  case $file in
    *.xz) xz -dc "$file" >"$image/modules/$number-$module.ko" ;;
    *.ko) cp "$file" "$image/modules/$number-$module.ko" ;;
    *) continue ;; # built in, or merged into another
  esac
  number=$((number + 1))
done
(cd "$image" && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1) >"$work/initramfs.gz"

python=$(readlink -f "$repository/.venv/bin/python")
site=$("$repository/.venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo "test-kernel-bluetooth: booting $kernel under QEMU (no acceleration, about a minute)" >&2
timeout "$guest_seconds" qemu-system-x86_64 -machine q35,accel=tcg -cpu qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+cx16 \
  -m 1G -nographic -no-reboot -net none -kernel "$(find "$work/kernel/boot" -name 'vmlinuz-*')" -initrd "$work/initramfs.gz" \
  -fsdev local,id=f,path=/,security_model=none,readonly=on -device virtio-9p-pci,fsdev=f,mount_tag=root \
  -append "console=ttyS0 quiet panic=-1 bz_python=$python bz_path=$repository/src:$repository:$site bz_script=$here/inside.py" \
  >"$work/console" 2>&1 </dev/null &
qemu=$!
wait "$qemu" || true
qemu=
tr -d '\r' <"$work/console" | grep -E '^(kernel|evidence|failed|exit)' || true
if tr -d '\r' <"$work/console" | grep -q '^exit 0$'; then
  echo "test-kernel-bluetooth: passed"
else
  echo "test-kernel-bluetooth: FAILED; the end of the guest's console:" >&2
  tail -40 "$work/console" >&2
  exit 1
fi
