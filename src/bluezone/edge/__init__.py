# SPDX-License-Identifier: Apache-2.0
"""Programs at a gate and in a loudspeaker (issue 4 and 6); never Django."""
