# SPDX-License-Identifier: Apache-2.0
"""Files that phones fetch beside exports: one signed envelope, the config and the index in it, strict members."""
