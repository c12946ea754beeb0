# SPDX-License-Identifier: Apache-2.0
"""What `serve` counts and reports to its operator."""
