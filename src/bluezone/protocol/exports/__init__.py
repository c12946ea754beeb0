# SPDX-License-Identifier: Apache-2.0
"""Export files: the wire format, a reader for all variants of other servers, a writer, and keys as columns."""
