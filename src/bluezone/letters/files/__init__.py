# SPDX-License-Identifier: Apache-2.0
"""The kinds of file a letter comes in, each turned into the letter's text; all of it runs in a confined process."""
