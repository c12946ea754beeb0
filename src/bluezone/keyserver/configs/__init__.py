# SPDX-License-Identifier: Apache-2.0
"""The signed configs that phones follow, and the settings that they are made of."""
