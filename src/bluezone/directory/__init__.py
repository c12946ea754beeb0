# SPDX-License-Identifier: Apache-2.0
"""Administrative units and agencies."""
