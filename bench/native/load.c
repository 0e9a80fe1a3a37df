/*
 * Makes conntrack events at a rate: creates flows and deletes each again when HOLD younger ones exist.
 *
 *   load FLOWS EVENTS_PER_SECOND HOLD [FIRST]    HOLD -1 keeps all; rate 0 is as fast as the kernel takes them
 *
 * Flow i is tcp 10.0.0.1 + i / 50000 : 10000 + i % 50000 -> 198.51.100.20:443, established. Below 20,000 events
 * per second each is a send() at its own moment, as packets come; above, half a millisecond's worth is one send().
 * Prints one line of JSON.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { NEW = 0x100, DELETE = 0x102, ROOM = 512, MOST = 128 };

static unsigned char bytes[ROOM * MOST];
static long used, waiting, errors, sent;
static int fd;

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static unsigned char *put(unsigned char *at, int type, const void *value, int length)
{
	struct nlattr *header = (struct nlattr *)at;
	header->nla_type = type;
	header->nla_len = NLA_HDRLEN + length;
	memset(at + NLA_HDRLEN, 0, NLA_ALIGN(length));
	memcpy(at + NLA_HDRLEN, value, length);
	return at + NLA_HDRLEN + NLA_ALIGN(length);
}

static unsigned char *begin(unsigned char *at, int type)
{
	((struct nlattr *)at)->nla_type = type | NLA_F_NESTED;
	return at + NLA_HDRLEN;
}

static void end(unsigned char *nest, unsigned char *at)
{
	((struct nlattr *)(nest - NLA_HDRLEN))->nla_len = at - nest + NLA_HDRLEN;
}

static unsigned char *tuple(unsigned char *at, int type, uint32_t source, uint32_t destination, int from, int to)
{
	unsigned char *whole, *part;
	uint8_t tcp = 6;
	uint16_t ports[2] = { htons(from), htons(to) };

	source = htonl(source);
	destination = htonl(destination);
	at = whole = begin(at, type);
	at = part = begin(at, 1);
	at = put(at, 1, &source, 4);
	at = put(at, 2, &destination, 4);
	end(part, at);
	at = part = begin(at, 2);
	at = put(at, 1, &tcp, 1);
	at = put(at, 2, &ports[0], 2);
	at = put(at, 3, &ports[1], 2);
	end(part, at);
	end(whole, at);
	return at;
}

static void flush(void)
{
	static unsigned char answer[65536];

	if (used > 0 && send(fd, bytes, used, 0) != used)
		exit(3);
	used = waiting = 0;
	while (recv(fd, answer, sizeof(answer), MSG_DONTWAIT) > 0)
		errors++;
}

static void add(int message, long flow, int most)
{
	unsigned char *start = bytes + used, *at = start + NLMSG_HDRLEN, *info, *tcp;
	struct nlmsghdr *header = (struct nlmsghdr *)start;
	uint32_t client = 0x0a000001 + flow / 50000, server = 0xc6336414;
	uint32_t status = htonl(0x0e), timeout = htonl(600);
	uint8_t state = 3, scale = 7, flags[2] = { 0x0b, 0xff };
	int port = 10000 + flow % 50000;

	memset(start, 0, NLMSG_HDRLEN + 4);
	header->nlmsg_type = message;
	header->nlmsg_flags = NLM_F_REQUEST | (message == NEW ? NLM_F_CREATE | NLM_F_EXCL : 0);
	at[0] = AF_INET;
	at = tuple(at + sizeof(struct nfgenmsg), 1, client, server, port, 443);
	if (message == NEW) {
		at = tuple(at, 2, server, client, 443, port);
		at = put(at, 3, &status, 4);
		at = put(at, 7, &timeout, 4);
		at = info = begin(at, 4);
		at = tcp = begin(at, 1);
		at = put(at, 1, &state, 1);
		at = put(at, 2, &scale, 1);
		at = put(at, 3, &scale, 1);
		at = put(at, 4, flags, 2);
		at = put(at, 5, flags, 2);
		end(tcp, at);
		end(info, at);
	}
	header->nlmsg_len = at - start;
	used += header->nlmsg_len;
	sent++;
	if (++waiting >= most)
		flush();
}

int main(int argc, char **argv)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int buffer = 4 << 20, one = 1;

	if (argc < 4)
		return 2;
	long flows = atol(argv[1]), rate = atol(argv[2]), hold = atol(argv[3]);
	long first = argc > 4 ? atol(argv[4]) : 0;
	long last = hold < 0 ? flows : flows + hold;
	int most = rate == 0 || rate > 20000 ? MOST : 1;

	fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
	if (fd < 0)
		return 2;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof(buffer));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return 2;

	int64_t start = now();
	for (long step = 0; step < last; step++) {
		for (int half = 0; half < 2; half++) {
			if (half == 0 ? step >= flows : hold < 0 || step < hold)
				continue;
			int64_t due = rate == 0 ? 0 : start + sent * 1000000000 / rate;
			int64_t ahead = due - now();
			if (rate != 0 && ahead > (most == 1 ? 10000 : 500000)) {
				if (waiting > 0)
					flush();
				struct timespec t = { due / 1000000000, due % 1000000000 };
				clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
			}
			add(half == 0 ? NEW : DELETE, first + (half == 0 ? step : step - hold), most);
		}
	}
	flush();
	printf("{\"events\":%ld,\"milliseconds\":%.1f,\"errors\":%ld}\n", sent, (now() - start) / 1e6, errors);
	return 0;
}
