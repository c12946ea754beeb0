/* SPDX-License-Identifier: Apache-2.0 */
/* jni.h includes it and takes nothing of it. */
#pragma once
