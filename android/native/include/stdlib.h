/* SPDX-License-Identifier: Apache-2.0 */
/* What the native parts take of the C library: its headers for Android are in the NDK alone, and these need no NDK. */
#pragma once
#include <stddef.h>
void *malloc(size_t), *calloc(size_t, size_t), *realloc(void *, size_t);
void free(void *), abort(void);
