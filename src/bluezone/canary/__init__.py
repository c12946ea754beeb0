# SPDX-License-Identifier: Apache-2.0
"""A phone that runs next to the server and must receive each new file, and what it reports."""
