# SPDX-License-Identifier: Apache-2.0
"""Paper for house visits: the door sheet, printed and typed in, and the stock of leaflets."""
