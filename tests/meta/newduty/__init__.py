# SPDX-License-Identifier: Apache-2.0
"""A whole duty that lies outside the package: masks handed out in the wards, and who was shown how to install.

docs/contributing/a-new-duty.md walks through its files.
"""
