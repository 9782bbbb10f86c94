/* SPDX-License-Identifier: MIT */
/* The handshake, with blocking reads and writes: the caller's alarm() bounds their time. */
#include "worker/screen/rfb.h"

#include <endian.h>
#include <errno.h>
#include <gcrypt.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define VERSION_LENGTH 12
#define SECURITY_NONE  1
#define SECURITY_VNC   2
#define FAILED	       1

static const char our_version[VERSION_LENGTH + 1] = "RFB 003.008\n";

static bool get(int fd, void *data, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t n = read(fd, (char *)data + done, length - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

static bool put(int fd, const void *data, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t n = write(fd, (const char *)data + done, length - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

static bool put_number(int fd, uint32_t number)
{
	number = htobe32(number);
	return put(fd, &number, sizeof(number));
}

static bool put_reason(int fd, const char *reason)
{
	return put_number(fd, (uint32_t)strlen(reason)) && put(fd, reason, strlen(reason));
}

/* The minor number of the client's version: 3, 7 or 8; -1: it speaks another protocol. */
static int read_version(int fd)
{
	char text[VERSION_LENGTH + 1] = "";
	int minor;

	if (!get(fd, text, VERSION_LENGTH) || sscanf(text, "RFB 003.%3d\n", &minor) != 1)
		return -1;
	/* Any other number counts as 3, as the RFC says. */
	return minor >= 8 ? 8 : minor == 7 ? 7 : 3;
}

/* VNC takes the bits of each byte of the key in reverse. */
static unsigned char mirror(unsigned char byte)
{
	unsigned char result = 0;

	for (int i = 0; i < 8; i++)
		if (byte & (1 << i))
			result |= (unsigned char)(0x80 >> i);
	return result;
}

bool rfb_answer(const char *password, const unsigned char challenge[RFB_CHALLENGE],
		unsigned char answer[RFB_CHALLENGE])
{
	unsigned char key[RFB_PASSWORD_MAX] = { 0 };
	gcry_cipher_hd_t cipher;
	bool ok;

	for (size_t i = 0; i < sizeof(key) && password[i]; i++)
		key[i] = mirror((unsigned char)password[i]);
	if (gcry_cipher_open(&cipher, GCRY_CIPHER_DES, GCRY_CIPHER_MODE_ECB, 0))
		return false;
	/* A weak key of DES is as good a password as any. */
	gcry_cipher_ctl(cipher, GCRYCTL_SET_ALLOW_WEAK_KEY, NULL, 1);
	ok = gcry_cipher_setkey(cipher, key, sizeof(key)) == 0 &&
	     gcry_cipher_encrypt(cipher, answer, RFB_CHALLENGE, challenge, RFB_CHALLENGE) == 0;
	gcry_cipher_close(cipher);
	return ok;
}

/* Compares without telling by its time where the two differ. */
static bool same(const unsigned char *a, const unsigned char *b, size_t length)
{
	unsigned char difference = 0;

	for (size_t i = 0; i < length; i++)
		difference |= a[i] ^ b[i];
	return difference == 0;
}

static bool knows_password(int fd, const char *password)
{
	unsigned char challenge[RFB_CHALLENGE], answer[RFB_CHALLENGE], right[RFB_CHALLENGE];

	return getrandom(challenge, sizeof(challenge), 0) == sizeof(challenge) &&
	       put(fd, challenge, sizeof(challenge)) && get(fd, answer, sizeof(answer)) &&
	       rfb_answer(password, challenge, right) && same(answer, right, sizeof(right));
}

/* Agrees on the security, which a client of version 3 is told and others choose. */
static bool agree(int fd, int minor, unsigned char security)
{
	unsigned char offer[2] = { 1, security }, choice;

	if (minor == 3)
		return put_number(fd, security);
	return put(fd, offer, sizeof(offer)) && get(fd, &choice, 1) && choice == security;
}

/* A guesser waits, too. */
static bool turn_away(int fd, int minor)
{
	static const char reason[] = "The password is wrong.";
	const struct timespec pause = { .tv_sec = 2 };

	nanosleep(&pause, NULL);
	if (put_number(fd, FAILED) && minor == 8)
		put_reason(fd, reason);
	return false;
}

bool rfb_admit_client(int fd, const char *password)
{
	unsigned char security = password ? SECURITY_VNC : SECURITY_NONE;
	int minor;

	if (!put(fd, our_version, VERSION_LENGTH))
		return false;
	minor = read_version(fd);
	if (minor < 0 || !agree(fd, minor, security))
		return false;
	if (password && !knows_password(fd, password))
		return turn_away(fd, minor);
	/* Before version 8 there is no result without a password. */
	return (!password && minor < 8) || put_number(fd, 0);
}

bool rfb_enter_server(int fd)
{
	unsigned char count, types[255], choice = SECURITY_NONE;
	char version[VERSION_LENGTH];
	uint32_t result;

	return get(fd, version, sizeof(version)) && put(fd, our_version, VERSION_LENGTH) &&
	       get(fd, &count, 1) && count && get(fd, types, count) &&
	       memchr(types, SECURITY_NONE, count) && put(fd, &choice, 1) &&
	       get(fd, &result, sizeof(result)) && !result;
}
