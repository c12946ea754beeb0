# SPDX-License-Identifier: Apache-2.0
"""What an option would do in a city, compared with how it is: a model of an epidemic and of warnings.

Source: docs/planning.md.

Pure: no clock, no files but those of this package, no database, no personal data; the same seed gives the same answer.
"""
