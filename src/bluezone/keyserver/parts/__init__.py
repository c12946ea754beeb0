# SPDX-License-Identifier: Apache-2.0
"""The parts of a key server: codes, admission, publication, governance and pages.

Each has only the stores and keys that it needs. A process has one or two parts, or all (service.py).
Source: docs/adr/0024-processes-apart.md.
"""
