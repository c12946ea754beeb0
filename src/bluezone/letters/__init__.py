# SPDX-License-Identifier: Apache-2.0
"""Reading a letter, without Django: from a file to its text, and from the text to what it says, each value with
the place it was read from.
"""
