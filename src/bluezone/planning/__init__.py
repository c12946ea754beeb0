# SPDX-License-Identifier: Apache-2.0
"""A model of an epidemic and of warnings, to compare what options would do in a city with how it is now.

Source: docs/planning.md.

Pure: no clock, no database, no personal data, only the files of this package; the same seed gives the same answer.
"""
