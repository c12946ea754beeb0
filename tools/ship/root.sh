# Sourced by the other tools of this folder: folders with a Debian in them, and commands run there. Needs root.
# It uses the mirror, the certificates and the package clients' settings of this machine.
# ARCHITECTURE=: another than this machine's, whose programs the kernel must know how to start (binfmt_misc and QEMU).
own_architecture=$(dpkg --print-architecture)
architecture=${ARCHITECTURE:-$own_architecture}
ship_folder=${SHIP_FOLDER:-$PWD/build/ship}
[ "$architecture" = "$own_architecture" ] || ship_folder=$ship_folder/$architecture
# A processor that does not sign its return addresses: QEMU computes each signature, at every call of a function.
[ "$architecture" = "$own_architecture" ] || [ "$architecture" != arm64 ] || export QEMU_CPU=${QEMU_CPU:-cortex-a57}
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 1764000000)}

# mirror: the Debian mirror among the sources of apt, with no slash at its end.
mirror() {
  local found
  found=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
    grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' ' || true)
  [ -n "$found" ] || { echo "ship: no Debian mirror among the sources of apt" >&2; return 1; }
  echo "${found%/}"
}

# make_root SUITE FOLDER PACKAGES: a minimal Debian with these packages, unless the folder has it already.
make_root() {
  local suite=$1 folder=$2 packages=$3 source
  [ "$(cat "$folder/.complete" 2>/dev/null)" = "$suite $packages" ] && return 0
  source=$(mirror) || return 1
  echo "ship: making a root of $suite in $folder" >&2
  rm -rf "$folder" && mkdir -p "$(dirname "$folder")"
  mmdebstrap --quiet --architectures="$architecture" --variant=minbase --dpkgopt=force-unsafe-io --include="$packages" \
    "$suite" "$folder" "$source" || return 1
  chmod 755 "$folder"
  echo "$suite $packages" > "$folder/.complete"
}

# lend_settings FOLDER: what package clients of this machine use to reach their registries.
lend_settings() {
  local folder=$1 named
  for named in $(env | grep -oE '=/[^:]+$' | cut -c2-) /etc/pip.conf /etc/resolv.conf /etc/hosts; do
    case $named in
      */cert*|*/ca-*|*.crt|*.pem|*.conf|/etc/hosts) [ -f "$named" ] && mkdir -p "$folder$(dirname "$named")" && cp -L "$named" "$folder$named" ;;
    esac
  done
  return 0
}

# in_root FOLDER [OPTION]... COMMAND...: run there, in namespaces of mounts, processes and names of its own, which end
# with it. --over FOLDER: what is changed is kept there, the root stays as it is. --bind FROM:TO. --read-only: /tmp, /run
# and what is bound can be written, nothing else. --no-network: loopback of its own, nothing else.
in_root() {
  local folder=$1 over="" binds="" read_only="" apart=""
  shift
  while :; do
    case $1 in
      --over) over=$2; shift 2 ;;
      --bind) binds="$binds $2"; shift 2 ;;
      --read-only) read_only=yes; shift ;;
      --no-network) apart=--net; shift ;;
      *) break ;;
    esac
  done
  unshare --mount --pid --uts --ipc $apart --fork --kill-child --propagation private bash -c '
    set -e
    folder=$1 over=$2 binds=$3 read_only=$4 apart=$5; shift 5
    [ -z "$apart" ] || ip link set lo up
    if [ "$over" ]; then
      mkdir -p "$over/upper" "$over/work" "$over/root"
      mount -t overlay overlay -o "lowerdir=$folder,upperdir=$over/upper,workdir=$over/work" "$over/root"
      folder=$over/root
    else
      mount --bind "$folder" "$folder"
    fi
    for pair in $binds; do mkdir -p "$folder/${pair#*:}"; done
    mount -t proc proc "$folder/proc"
    mount -t tmpfs -o mode=755 tmpfs "$folder/dev"
    for device in null zero full random urandom; do : > "$folder/dev/$device"; mount --bind "/dev/$device" "$folder/dev/$device"; done
    ln -s /proc/self/fd "$folder/dev/fd"
    mkdir "$folder/dev/shm" && mount -t tmpfs -o mode=1777 tmpfs "$folder/dev/shm"
    if [ "$read_only" ]; then
      mount -t tmpfs -o mode=1777 tmpfs "$folder/tmp"
      mount -t tmpfs -o mode=755 tmpfs "$folder/run"
    fi
    for pair in $binds; do mount --bind "${pair%%:*}" "$folder/${pair#*:}"; done
    [ -z "$read_only" ] || mount -o remount,ro,bind "$folder"
    exec chroot "$folder" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
      LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" PIP_DISABLE_PIP_VERSION_CHECK=1 \
      ${PIP_CERT:+PIP_CERT="$PIP_CERT"} ${QEMU_CPU:+QEMU_CPU="$QEMU_CPU"} "$@"
  ' bash "$folder" "$over" "$binds" "$read_only" "$apart" "$@"
}
