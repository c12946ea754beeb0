# SPDX-License-Identifier: Apache-2.0
"""The protocol: identifiers, files, matching, risk, codes and certificates. Pure: no I/O, and it reads no clock."""
