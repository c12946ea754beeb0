# SPDX-License-Identifier: Apache-2.0
"""The classes of a school, their lists and links, and the checks that refuse lists of children."""
