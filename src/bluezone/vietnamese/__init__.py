# SPDX-License-Identifier: Apache-2.0
"""Vietnamese text, without Django: spelling for comparisons, syllables, text in legacy fonts, and typed values."""
