# SPDX-License-Identifier: Apache-2.0
"""What `serve` counts and tells its operator."""
