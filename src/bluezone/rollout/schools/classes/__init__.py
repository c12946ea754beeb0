# SPDX-License-Identifier: Apache-2.0
"""The classes of a school: which there are, their lists and links, and what tells them from lists of children."""
