# SPDX-License-Identifier: Apache-2.0
"""A venue's way through the ward: applying, the decision, inspections, and its name for other parts."""
