# SPDX-License-Identifier: Apache-2.0
"""The languages in which every text of a city is written."""

# Names of the languages by code. The first language is for readers who have not chosen one.
LANGUAGES = {"vi": "Tiếng Việt", "en": "English"}
