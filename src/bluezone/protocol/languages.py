# SPDX-License-Identifier: Apache-2.0
"""The languages that every text of a city has."""

# By code, each with its own name; the first is the one of a reader who has chosen none.
LANGUAGES = {"vi": "Tiếng Việt", "en": "English"}
