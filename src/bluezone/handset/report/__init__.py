# SPDX-License-Identifier: Apache-2.0
"""The owner's report: from the code and the consent to the upload; rehearsals of reports; and declarations."""
