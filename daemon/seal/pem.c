/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/pem.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

void pem_public(char out[PEM_BYTES], const uint8_t public[SEAL_PUBLIC_BYTES])
{
	static const uint8_t head[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
				       0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
	uint8_t der[sizeof head + SEAL_PUBLIC_BYTES];
	unsigned char base64[64];

	memcpy(der, head, sizeof head);
	memcpy(der + sizeof head, public, SEAL_PUBLIC_BYTES);
	EVP_EncodeBlock(base64, der, sizeof der);
	snprintf(out, PEM_BYTES, "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n",
		 (const char *)base64);
}
