# SPDX-License-Identifier: Apache-2.0
"""A real pgbouncer in transaction mode in front of a new database, with a role for each store."""

import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from tests.builders.keyserver import postgresql_database, postgresql_server
from tests.builders.serving import free_port

STORES = ("office", "codes", "keys")


@contextmanager
def pooled_database(folder: Path, roles: bool = True) -> Iterator[dict[str, str]]:
    """Addresses by store through the pooler; skips the test without one. roles: False for one role for all stores."""
    program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin")
    if not program:
        pytest.skip("needs pgbouncer")
    server = urlsplit(postgresql_server())
    with postgresql_database(server.geturl()) as url:
        name = urlsplit(url).path[1:]
        end = secrets.token_hex(4)
        users = {store: f"{store}_{end}" if roles else str(server.username) for store in STORES}
        with psycopg.connect(url, autocommit=True) as admin:
            for store, user in users.items() if roles else ():
                admin.execute(f"CREATE ROLE {user} LOGIN")
                admin.execute(f"GRANT CREATE ON DATABASE {name} TO {user}")
                admin.execute(f"ALTER ROLE {user} SET search_path = {store}")
        port = free_port()
        settings = folder / "pgbouncer.ini"
        settings.write_text(
            f"[databases]\n{name} = host={server.hostname} port={server.port}\n[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = trust\n"
            f"auth_file = {folder / 'users.txt'}\npool_mode = transaction\ndefault_pool_size = 5\n"
            "ignore_startup_parameters = options,extra_float_digits\n"
        )
        (folder / "users.txt").write_text("".join(f'"{user}" ""\n' for user in set(users.values())))
        # pgbouncer refuses to run as root and changes to the user after -u, who must be able to read its files.
        for path in (folder, *folder.iterdir()):
            path.chmod(path.stat().st_mode | 0o055)
        process = subprocess.Popen([program, "-q", "-u", "nobody", str(settings)], stderr=subprocess.DEVNULL)
        try:
            addresses = {store: f"postgresql://{user}@127.0.0.1:{port}/{name}" for store, user in users.items()}
            _wait_for(addresses["keys"])
            yield addresses
        finally:
            process.terminate()
            process.wait(60)
            with psycopg.connect(url, autocommit=True) as admin:
                for user in users.values() if roles else ():
                    admin.execute(f"DROP OWNED BY {user} CASCADE")
                    admin.execute(f"DROP ROLE {user}")


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + 600
    while True:
        try:
            psycopg.connect(address).close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
