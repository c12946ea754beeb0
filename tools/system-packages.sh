# Sourced by the other tools. need_package NAME PURPOSE [required]: install a Debian package when root,
# otherwise name the command that does. Returns 1 when the package is still missing and was not required.
need_package() {
  local name=$1 purpose=$2 required=${3:-}
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "setup: installing the system package $name, needed for $purpose" >&2
    if DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$name" >/dev/null 2>&1 ||
       { apt-get update -qq >/dev/null 2>&1 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$name" >/dev/null 2>&1; }; then
      return 0
    fi
    echo "setup: could not install $name" >&2
  else
    echo "setup: $purpose needs the system package $name:  sudo apt-get install $name" >&2
  fi
  [ "$required" = required ] && exit 1
  return 1
}
