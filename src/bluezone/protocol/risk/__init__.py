# SPDX-License-Identifier: Apache-2.0
"""From matched sightings to a warning: windows, scores, levels, and the disease profile that determines them."""
