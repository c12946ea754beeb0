# SPDX-License-Identifier: Apache-2.0
"""Commands to look into the protocol's files and figures: ids, match, export, exposure, vectors, bench."""
