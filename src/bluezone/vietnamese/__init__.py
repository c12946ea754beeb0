# SPDX-License-Identifier: Apache-2.0
"""Vietnamese text, without Django: one spelling for comparing, what a syllable may be, the fonts of before Unicode
and how their text is recognised.
"""
