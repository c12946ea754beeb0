#!/usr/bin/env bash
# Build the image of a box without a screen (docs/appliances.md): Debian 13, our package, read-only, for any machine of
# this architecture that starts by UEFI. Usage: appliance.sh FOLDER, in which the package for Debian 13 lies (deb.sh).
# As root, without loop devices. CITY_KEY=: 64 hex digits, the one city it is for. UPDATE_KEYS=: a file of such lines.
# ARCHITECTURE=arm64 on another machine: emulated.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/ship/root.sh
. tools/system-packages.sh
[ "$(id -u)" = 0 ] || { echo "appliance: a root file system needs root" >&2; exit 1; }
for pair in mmdebstrap:mmdebstrap mcopy:mtools mkfs.vfat:dosfstools sfdisk:fdisk mke2fs:e2fsprogs; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || need_package "${pair#*:}" "the image of a box" required
done
target=$(cd "$1" && pwd)
package=$(ls "$target"/bluezone_*+deb13_"$architecture".deb)
case $architecture in
  amd64) efi=systemd-bootx64.efi name=BOOTX64.EFI type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709 ;;
  arm64) efi=systemd-bootaa64.efi name=BOOTAA64.EFI type=B921B045-1DF0-41C3-AF44-4C6F280D3FAE ;;
  *) echo "appliance: no image for $architecture; there are amd64 and arm64" >&2; exit 2 ;;
esac
boot_mb=${BOOT_MB:-192} root_mb=${ROOT_MB:-2300} data_mb=${DATA_MB:-2048}
needed=$(dpkg-deb -f "$package" Depends | sed -E 's/ *\([^)]*\)//g; s/ *\|[^,]*//g; s/, */\n/g' | sort -u | paste -sd,)
system=systemd-sysv,systemd-resolved,systemd-timesyncd,systemd-boot-efi,libpam-systemd,dbus,udev,kmod,iproute2,e2fsprogs,dosfstools
make_root trixie "$ship_folder/trixie-appliance" \
  "$system,linux-image-$architecture,initramfs-tools,$needed,ca-certificates,tzdata,ffmpeg,alsa-utils,wpasupplicant"
aside=$(mktemp -d "$target/box.XXXXXX")
trap 'rm -rf "$aside"' EXIT
root=$aside/root
cp -a "$ship_folder/trixie-appliance" "$root"
rm -f "$root/.complete"
cp "$package" "$root/bluezone.deb"
in_root "$root" sh -e -c '
  dpkg --install /bluezone.deb >/dev/null 2>&1 && dpkg --audit && rm /bluezone.deb
  systemctl enable -q systemd-networkd systemd-resolved systemd-timesyncd \
    bluezone-enrol.service bluezone-enrol.path bluezone-setup bluezone-gate bluezone-speaker \
    bluezone-update.timer bluezone-update-night.timer
  systemctl disable -q bluezone bluezone-apart bluezone-signer
  # Nobody signs in, and nothing renews itself but our own version.
  systemctl mask -q getty@.service serial-getty@.service apt-daily.timer apt-daily-upgrade.timer
  passwd -q -l root'
lay() { install -D -m "${3:-0644}" "deploy/appliance/$1" "$root/$2"; }
lay network.network etc/systemd/network/10-box.network
lay system.conf etc/systemd/system.conf.d/box.conf
lay journald.conf etc/systemd/journald.conf.d/box.conf
lay resolved.conf etc/systemd/system/systemd-resolved.service.d/box.conf
lay emergency.conf etc/systemd/system/emergency.service.d/box.conf
lay wifi.service etc/systemd/system/bluezone-wifi.service
lay fstab etc/fstab
ln -sf ../bluezone-wifi.service "$root/etc/systemd/system/multi-user.target.wants/bluezone-wifi.service"
for account in bluezone-gate bluezone-speaker; do
  mkdir -p "$root/etc/systemd/system/$account.service.d"
  sed "s/@ACCOUNT@/$account/" deploy/appliance/box.conf > "$root/etc/systemd/system/$account.service.d/box.conf"
done
echo 'GATE_OPTIONS=--radio hci-socket:0 --port 8010 --box' > "$root/etc/bluezone/gate.env"
touch "$root/etc/bluezone/appliance"
[ -z "${CITY_KEY:-}" ] || echo "$CITY_KEY" > "$root/etc/bluezone/city.key"
[ -z "${UPDATE_KEYS:-}" ] || install -m 0644 "$UPDATE_KEYS" "$root/etc/bluezone/update.keys"
chmod 755 "$root/etc/bluezone"
echo bluezone-box > "$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 bluezone-box\n::1 localhost\n' > "$root/etc/hosts"
ln -sf ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
echo uninitialized > "$root/etc/machine-id"
# The system is read-only: what it would write there lies in /run.
ln -sf /run/adjtime "$root/etc/adjtime"
rm -rf "$root"/var/cache/* "$root"/var/lib/apt/lists/* "$root"/var/log/* "$root"/usr/share/{man,locale} "$root"/tmp/* "$root/etc/pip.conf"
find "$root/usr/share/doc" -type f ! -name copyright -delete
# What ffmpeg's packages bring for graphics cards, and descriptions of boards that firmware with UEFI does not ask for: a
# quarter of the system. Sounds are made without the one, and the machine starts without the other.
rm -rf "$root"/usr/lib/*/lib{LLVM,gallium-,z3}* "$root"/usr/lib/linux-image-*
in_root "$root" ffmpeg -loglevel error -f lavfi -i sine=duration=1 -f mp3 - > /dev/null
mkdir -p "$root/var/log" "$root/var/cache"

# The partition that every computer can read: the kernel, and where a ticket is put.
mkdir -p "$aside/boot/EFI/BOOT" "$aside/boot/loader/entries"
kernel=$(ls "$root"/boot/vmlinuz-* | sort -V | tail -n 1)
cp "$kernel" "$aside/boot/vmlinuz"
cp "$root/boot/initrd.img-${kernel##*/vmlinuz-}" "$aside/boot/initrd"
cp "$root/usr/lib/systemd/boot/efi/$efi" "$aside/boot/EFI/BOOT/$name"
printf 'timeout 0\ndefault bluezone.conf\neditor no\n' > "$aside/boot/loader/loader.conf"
printf 'title Bluezone box\nlinux /vmlinuz\ninitrd /initrd\noptions root=LABEL=bluezone-root ro panic=10 %s\n' \
  "${KERNEL_OPTIONS:-quiet console=ttyS0 console=tty0}" > "$aside/boot/loader/entries/bluezone.conf"
rm -rf "$root"/boot/* "$root"/vmlinuz* "$root"/initrd.img*
mv "$root/var" "$aside/var"
mkdir "$root/var"

image=$aside/image
truncate -s "$((boot_mb + root_mb + data_mb + 2))M" "$image"
sfdisk --quiet "$image" <<END
label: gpt
start=1MiB, size=${boot_mb}MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=boot
size=${root_mb}MiB, type=$type, name=root
size=${data_mb}MiB, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=data
END
part() { dd if="$1" of="$image" bs=1M seek="$2" conv=notrunc,sparse status=none; rm "$1"; }
truncate -s "${boot_mb}M" "$aside/boot.img"
mkfs.vfat -F 32 -n BLUEZONE "$aside/boot.img" >/dev/null
mcopy -s -i "$aside/boot.img" "$aside"/boot/* ::
part "$aside/boot.img" 1
mke2fs -q -t ext4 -L bluezone-root -d "$root" "$aside/root.img" "${root_mb}M"
part "$aside/root.img" "$((1 + boot_mb))"
mke2fs -q -t ext4 -L bluezone-data -d "$aside/var" "$aside/data.img" "${data_mb}M"
part "$aside/data.img" "$((1 + boot_mb + root_mb))"
file=$target/bluezone-box-$architecture.img
mv "$image" "$file"
echo "$file"
