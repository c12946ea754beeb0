# SPDX-License-Identifier: Apache-2.0
"""`bluezone plan`: what options would do in a city, compared with how it is."""
