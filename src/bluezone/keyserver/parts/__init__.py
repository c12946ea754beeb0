# SPDX-License-Identifier: Apache-2.0
"""The parts of a key server: codes, admission, publication, governance and pages; each has only what it needs.

A process has one of them, or all (service.py). Source: docs/adr/0024-processes-apart.md.
"""
