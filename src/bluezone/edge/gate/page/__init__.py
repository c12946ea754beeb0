# SPDX-License-Identifier: Apache-2.0
"""The gate page: what the attendant, or in kiosk mode the visitor, looks at."""
