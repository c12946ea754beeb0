/* SPDX-License-Identifier: Apache-2.0 */
/* As stdlib.h beside it; the numbers are those of Linux on arm64. */
#pragma once
unsigned long getauxval(unsigned long);
#define AT_HWCAP 16
#define HWCAP_AES 8
#define HWCAP_SHA2 64
