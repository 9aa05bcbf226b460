/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Pem: a public key as openssl reads it (RFC 8410).
 */
#include "core/sealline.h"

enum { PEM_BYTES = 128 };

void pem_public(char out[PEM_BYTES], const uint8_t public[SEAL_PUBLIC_BYTES]);
