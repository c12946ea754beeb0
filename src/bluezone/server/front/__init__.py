# SPDX-License-Identifier: Apache-2.0
"""The layer between granian and the origins' WSGI callables: limits, caches, threads and the relay."""
