# SPDX-License-Identifier: Apache-2.0
"""Files that phones fetch besides exports: the signed envelope, the config and the index in it, strict members."""
