# SPDX-License-Identifier: Apache-2.0
"""The classes of a school: entered and carried over, the guard against children's names, each class's link."""
