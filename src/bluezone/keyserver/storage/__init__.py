# SPDX-License-Identifier: Apache-2.0
"""The stores of the key server: the interface of a store, SQLite, PostgreSQL, leases and migrations."""
