/*
 * The least that any program pays for a listing of the connection-tracking table: reads the kernel's dump and writes
 * as many bytes as a listing has, without looking at what it read. The yardstick of `conntrack -L`.
 *
 *   dump BYTES_PER_FLOW [-L]
 */
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { GET = 0x101, BUFFER = 128 << 10 };

static char out[BUFFER];
static size_t used;

static void put(size_t length)
{
	if (used + length > sizeof out) {
		if (write(1, out, used) < 0)
			exit(1);
		used = 0;
	}
	memset(out + used, 'x', length);
	used += length;
}

int main(int argc, char **argv)
{
	size_t length = argc > 1 ? strtoul(argv[1], NULL, 10) : 100;
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
	struct {
		struct nlmsghdr header;
		struct nfgenmsg family;
	} request = {
		.header = { sizeof request, GET, NLM_F_REQUEST | NLM_F_DUMP, 1, 0 },
	};
	static char in[BUFFER];

	if (fd < 0 || send(fd, &request, sizeof request, 0) < 0)
		return 1;
	for (;;) {
		ssize_t got = recv(fd, in, sizeof in, 0);
		struct nlmsghdr *message = (struct nlmsghdr *)in;
		if (got < 0)
			return 1;
		for (int left = got; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
			if (message->nlmsg_type == NLMSG_DONE)
				return write(1, out, used) < 0;
			if (message->nlmsg_type == NLMSG_ERROR)
				return 1;
			put(length);
		}
	}
}
