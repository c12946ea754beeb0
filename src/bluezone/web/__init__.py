# SPDX-License-Identifier: Apache-2.0
"""Django settings, urls, shared templates and static files."""
