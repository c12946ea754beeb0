# SPDX-License-Identifier: Apache-2.0
import psycopg

from bluezone.keyserver.storage.leases import Lease


def test_a_lease_is_let_go_while_the_database_is_away():
    def connect():
        raise psycopg.OperationalError("away")

    Lease(connect, "turn").release()
