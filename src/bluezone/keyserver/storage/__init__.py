# SPDX-License-Identifier: Apache-2.0
"""The stores of the key server: what every store promises, SQLite, PostgreSQL, migrations; the
factory opens one."""
