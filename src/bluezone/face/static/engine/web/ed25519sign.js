// SPDX-License-Identifier: Apache-2.0
/**
 * Ed25519 signatures of one-time keys, by noble-ed25519 in every browser.
 *
 * WebCrypto takes no raw seed, and a key that signs one pass within a minute and is then forgotten has nothing to lose
 * to arithmetic that is not constant in time.
 */
import { getPublicKeyAsync, signAsync } from "../../vendor/noble-ed25519.js";

/** 64 bytes by the key of a 32-byte seed. */
export const signEd25519 = (seed, message) => signAsync(message, seed);

/** The 32 bytes of the public key of a seed. */
export const publicKeyOf = (seed) => getPublicKeyAsync(seed);
