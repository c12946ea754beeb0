# SPDX-License-Identifier: Apache-2.0
"""Commands about the keys that sign for phones: `recovery-key` and `signer`."""
