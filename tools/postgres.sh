#!/usr/bin/env bash
# A throw-away PostgreSQL on loopback for the tests. Usage: postgres.sh start FOLDER (prints its URL)
# | stop FOLDER (as a crash would) | resume FOLDER | restart FOLDER (as its operator would)
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/system-packages.sh

newest_bin() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1; }
# initdb and postgres refuse to run as root, so as root they run as the package's own user.
as_owner() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }

run() {
  as_owner "$bin/pg_ctl" -D "$folder/data" -w -s -l "$folder/log" \
    -o "-h 127.0.0.1 -p $(cat "$folder/port") -k $folder -c fsync=off -c full_page_writes=off -c max_connections=200" start >&2
}

action=$1 folder=$2
bin=$(newest_bin)
if [ -z "$bin" ] || [ ! -x "$bin/initdb" ]; then
  need_package postgresql "the tests on PostgreSQL" required >&2
  bin=$(newest_bin)
fi
case $action in
  start)
    mkdir -p "$folder"
    [ "$(id -u)" = 0 ] && chown postgres "$folder"
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' | tee "$folder/port")
    as_owner "$bin/initdb" -D "$folder/data" -U bluezone --auth=trust --encoding=UTF8 --locale=C.UTF-8 >/dev/null
    run
    as_owner "$bin/createdb" -h 127.0.0.1 -p "$port" -U bluezone bluezone
    echo "postgresql://bluezone@127.0.0.1:$port/bluezone"
    ;;
  resume)
    run
    ;;
  restart)
    as_owner "$bin/pg_ctl" -D "$folder/data" -w -s -m fast -l "$folder/log" restart >&2
    ;;
  stop)
    as_owner "$bin/pg_ctl" -D "$folder/data" -s -m immediate stop >&2
    ;;
esac
