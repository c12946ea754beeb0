# Sourced by the other tools. need_package NAME PURPOSE [required]: install a Debian package when root,
# otherwise name the command that does. Returns 1 when the package is still missing and was not required.
need_package() {
  local name=$1 purpose=$2 required=${3:-} log
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "setup: installing the system package $name, needed for $purpose" >&2
    log=$(mktemp)
    if install_package "$name" >"$log" 2>&1 ||
       { apt-get update -qq >>"$log" 2>&1 && install_package "$name" >>"$log" 2>&1; }; then
      rm -f "$log"
      return 0
    fi
    echo "setup: could not install $name. The last lines of apt-get:" >&2
    tail -n 20 "$log" >&2
    rm -f "$log"
  else
    echo "setup: $purpose needs the system package $name:  sudo apt-get install $name" >&2
  fi
  [ "$required" = required ] && exit 1
  return 1
}

install_package() { DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1"; }
