/*
 * Sends prebuilt ctnetlink messages as fast as the kernel takes them: the yardstick of bench/conntrack.ts.
 * injector FILE: records of u32 length (host order) and that many bytes, one send() each. Answers are read
 * without waiting after each send. Prints nanoseconds and the number of errors.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int main(int argc, char **argv)
{
	static unsigned char answer[65536];
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	long errors = 0;
	int buffer = 1 << 20, one = 1;

	FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
	if (!file)
		return 2;
	fseek(file, 0, SEEK_END);
	long size = ftell(file);
	rewind(file);
	unsigned char *bytes = malloc(size);
	if (!bytes || fread(bytes, 1, size, file) != (size_t)size)
		return 2;

	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
	if (fd < 0)
		return 2;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof(buffer));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return 2;

	int64_t start = now();
	for (long at = 0; at + 4 <= size;) {
		uint32_t length;
		memcpy(&length, bytes + at, 4);
		if (send(fd, bytes + at + 4, length, 0) != (ssize_t)length)
			return 3;
		at += 4 + length;
		while (recv(fd, answer, sizeof(answer), MSG_DONTWAIT) > 0)
			errors++;
	}
	printf("%lld %ld\n", (long long)(now() - start), errors);
	return 0;
}
