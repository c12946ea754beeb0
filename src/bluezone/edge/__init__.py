# SPDX-License-Identifier: Apache-2.0
"""Programs at a gate and in a loudspeaker; never Django."""
