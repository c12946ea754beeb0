#!/usr/bin/env bash
# Install the project in a Debian of one release, as the package of that release holds it: a virtual environment at
# /usr/lib/bluezone with all it needs, whose Python is Debian's. Usage: tree.sh SUITE FOLDER, as root.
# FOLDER/usr/lib/bluezone is made anew; packages are fetched as requirements.lock pins them, in the release's own Python.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/ship/root.sh
suite=$1 target=$2 root=$ship_folder/$1-build
make_root "$suite" "$root" python3-venv,gcc,libc6-dev,ca-certificates
lend_settings "$root"
tools/ship/source.sh "$root/source"
cp tools/ship/locked.sh "$root"
rm -rf "$root/usr/lib/bluezone" "$root/wheels-new"
kept=$(sha256sum requirements.lock | cut -c1-16)
in_root "$root" sh -e -c '
  exec 2>&1
  python3 -m venv /usr/lib/bluezone
  venv=/usr/lib/bluezone/bin/python3
  # Fetched once for each lock file, and checked against it.
  if [ ! -e "/wheels-$1" ]; then
    rm -rf /wheels-*
    sh /locked.sh $venv /source/requirements.lock /wheels-new
    mv /wheels-new "/wheels-$1"
  fi
  $venv -m pip install --quiet --no-index --find-links "/wheels-$1" /wheels-$1/setuptools-*.whl
  CFLAGS=-g0 $venv -m pip install --quiet --no-index --find-links "/wheels-$1" --no-build-isolation --no-compile "/source[postgres,s3,fast]"
  $venv -m pip uninstall --quiet --yes setuptools
  $venv -m pip uninstall --quiet --yes pip
  cd /usr/lib/bluezone
  rm -rf bin/Activate.ps1 bin/activate* include share/man .gitignore lib64
  # Where it was installed from, and when, is nobody s business; of the programs of other packages nobody asks either.
  find lib -name direct_url.json -delete
  find lib -name __pycache__ -prune -exec rm -rf {} +
  find bin -type f ! -name bluezone -delete
  for record in lib/python3*/site-packages/*.dist-info/RECORD; do grep -vE "direct_url|__pycache__|/bin/" "$record" > /tmp/record || true; cat /tmp/record > "$record"; done
  find . -newermt "@$SOURCE_DATE_EPOCH" -print0 | xargs -0r touch --no-dereference --date="@$SOURCE_DATE_EPOCH"
  # Bytecode of fixed content: nobody may write it later, and an upgrade brings its own.
  PYTHONHASHSEED=0 $venv -m compileall -q -j 1 --invalidation-mode unchecked-hash -o 0 lib || true
  find . -newermt "@$SOURCE_DATE_EPOCH" -print0 | xargs -0r touch --no-dereference --date="@$SOURCE_DATE_EPOCH"
  # What an update of a box is measured by (docs/appliances.md).
  /usr/lib/bluezone/bin/bluezone --version | sed -E "s/.* ([^ ]+)$/\1/" > /tmp/version
  printf "{\"version\": \"%s\", \"number\": %s, \"architecture\": \"%s\", \"python\": \"%s\"}\n" "$(cat /tmp/version)" \
    "$SOURCE_DATE_EPOCH" "$(dpkg --print-architecture)" "$($venv -c "import sys; print(*sys.version_info[:2], sep=\".\")")" > release.json
  touch --date="@$SOURCE_DATE_EPOCH" release.json .
  cat release.json
' sh "$kept"
rm -rf "$target/usr/lib/bluezone" && mkdir -p "$target/usr/lib"
cp -a "$root/usr/lib/bluezone" "$target/usr/lib/"
