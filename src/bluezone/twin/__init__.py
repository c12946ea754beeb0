# SPDX-License-Identifier: Apache-2.0
"""The twin of a city: the whole system rehearsed with a model's people and meetings, and compared with the truth."""
