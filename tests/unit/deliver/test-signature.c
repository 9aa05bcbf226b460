/* SPDX-License-Identifier: Apache-2.0 */
/* The vectors that the specification's own libraries are tested with. */
#include "deliver/signature.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define SECRET "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define SYMMETRIC "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
#define SEED "VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk="
#define ASYMMETRIC                                                                                 \
	"v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFi"   \
	"L8Ag=="

static void check(const char *secrets, const char *key, const char *expected)
{
	static const char body[] = "{\"test\": 2432232314}";
	struct signer *signer;
	struct text out = {0};
	assert_int_equal(signer_new(&signer, secrets, key), 0);
	signer_sign(signer, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, strlen(body), &out);
	assert_false(out.failed);
	assert_string_equal(out.at == NULL ? "" : out.at, expected);
	text_deinit(&out);
	signer_free(signer);
}

static void test_the_published_vectors_come_out(void **state)
{
	(void)state;
	check("whsec_" SECRET, NULL, SYMMETRIC);
	check(SECRET, NULL, SYMMETRIC);
	check(NULL, "whsk_" SEED, ASYMMETRIC);
	check(NULL, SEED, ASYMMETRIC);
	check("whsec_" SECRET, "whsk_" SEED, SYMMETRIC " " ASYMMETRIC);
	check(NULL, NULL, "");
}

static void test_two_secrets_sign_beside_each_other(void **state)
{
	(void)state;
	check("whsec_" SECRET " " SECRET, NULL, SYMMETRIC " " SYMMETRIC);
}

static void test_a_key_with_its_public_half_is_the_same(void **state)
{
	(void)state;
	/* seed and public key, 64 bytes */
	check(NULL,
	      "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlkAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	      "AAAAAAAAAA==",
	      ASYMMETRIC);
}

static void test_the_public_key_can_be_handed_out(void **state)
{
	(void)state;
	struct signer *signer;
	struct text out = {0};
	assert_int_equal(signer_new(&signer, "whsec_" SECRET, NULL), 0);
	signer_public(signer, &out);
	assert_int_equal(out.length, 0);
	signer_free(signer);
	assert_int_equal(signer_new(&signer, NULL, "whsk_" SEED), 0);
	signer_public(signer, &out);
	assert_int_equal(strncmp(out.at, "whpk_", 5), 0);
	assert_int_equal(out.length, 5 + 44);
	text_deinit(&out);
	signer_free(signer);
}

static void test_what_is_no_key_is_refused(void **state)
{
	(void)state;
	static const char *const secrets[] = {
		"",           " ",        "whsec_",          "whsec_c2hvcnQ=",
		"opensesame", SECRET "=", SECRET " whsec_x", "whsec_" SECRET SECRET SECRET};
	static const char *const keys[] = {"", "whsk_", "whsk_" SECRET, "whsk_" SEED "A", "!" SEED};
	struct signer *signer;
	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
		if (signer_new(&signer, secrets[i], NULL) != -EINVAL)
			fail_msg("secret \"%s\"", secrets[i]);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (signer_new(&signer, NULL, keys[i]) != -EINVAL)
			fail_msg("key \"%s\"", keys[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_published_vectors_come_out),
		cmocka_unit_test(test_two_secrets_sign_beside_each_other),
		cmocka_unit_test(test_a_key_with_its_public_half_is_the_same),
		cmocka_unit_test(test_the_public_key_can_be_handed_out),
		cmocka_unit_test(test_what_is_no_key_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
