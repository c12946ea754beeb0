# SPDX-License-Identifier: Apache-2.0
"""Documents and their states exchanged with other offices as signed edXML files, and the certificates of partners."""
