# SPDX-License-Identifier: Apache-2.0
"""Export files: the wire format, reading with all the oddities of other servers, writing, and keys as columns."""
