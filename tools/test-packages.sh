#!/usr/bin/env bash
# System packages that tests use; a test whose package is missing skips and says so by name.
set -uo pipefail
cd "$(dirname "$0")/.."
. tools/system-packages.sh
# Without -q: whoever ends at the first match may fail the one who still writes.
ldconfig -p | grep libpangoft2-1.0 >/dev/null || need_package libpangoft2-1.0-0 "PDF pages" || true
ldconfig -p | grep libharfbuzz-subset >/dev/null || need_package libharfbuzz-subset0 "PDF pages" || true
command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || need_package chromium "the tests marked browser" || true
# Without windows it takes half the work for the same pages; where a system does not have it so, the other does all.
command -v chromium-headless-shell >/dev/null 2>&1 || need_package chromium-headless-shell "the tests marked browser" || true
command -v chattr >/dev/null 2>&1 || need_package e2fsprogs "the tests of folders that cannot be written" || true
command -v softhsm2-util >/dev/null 2>&1 || need_package softhsm2 "the test of keys in a token" || true
command -v node >/dev/null 2>&1 || need_package nodejs "the message centre of the tests of text messages" || true
command -v npm >/dev/null 2>&1 || need_package npm "the message centre of the tests of text messages" || true
# The language comes with its own package; the program alone would not read Vietnamese.
command -v tesseract >/dev/null 2>&1 || need_package tesseract-ocr "scanned letters" || true
tesseract --list-langs 2>/dev/null | grep vie >/dev/null || need_package tesseract-ocr-vie "scanned letters" || true
command -v antiword >/dev/null 2>&1 || need_package antiword "letters as .doc" || true
command -v espeak-ng >/dev/null 2>&1 || need_package espeak-ng "the machine's voice of bulletins" || true
command -v ffmpeg >/dev/null 2>&1 || need_package ffmpeg "the sound of bulletins and loudspeakers" || true
[ -x "$(PATH=$PATH:/usr/sbin command -v nginx)" ] || need_package nginx-light "the tests of the documented proxies" || true
[ -x "$(PATH=$PATH:/usr/sbin command -v pgbouncer)" ] || need_package pgbouncer "the tests behind a pooler" || true
command -v patroni >/dev/null 2>&1 || need_package patroni "the test of a primary that is lost, marked slow" || true
command -v etcd >/dev/null 2>&1 || need_package etcd-server "the test of a primary that is lost, marked slow" || true
command -v faketime >/dev/null 2>&1 || need_package faketime "the tests of a wrong clock and of what earlier versions wrote" || true
command -v caddy >/dev/null 2>&1 || need_package caddy "the tests of the documented proxies" || true
command -v promtool >/dev/null 2>&1 || need_package prometheus "the tests of the alert rules" || true
command -v spin >/dev/null 2>&1 || need_package spin "the models of the protocol, marked slow" || true
command -v gcc >/dev/null 2>&1 || need_package gcc "the models of the protocol, marked slow" || true
