// What `mqload -q 1 -m pair` makes a broker read and write, in C and without a broker: cc -O2 -o relay relay.c && ./relay PORT
// A PUBLISH to bench/N goes to whoever subscribed to bench/N and is acknowledged; nothing is checked. All that came is
// read first and everything is written then, once for each connection, as tStack does.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 4096, ROOM = 65536 };
typedef struct {
  int length;
  char bytes[ROOM];
} Out;

static Out *out[CONNECTIONS];
static int subscriber[CONNECTIONS], dirty[CONNECTIONS], dirtyCount;

static void put(int to, const void *bytes, int length) {
  if (out[to]->length == 0) dirty[dirtyCount++] = to;
  memcpy(out[to]->bytes + out[to]->length, bytes, length);
  out[to]->length += length;
}

// The number behind the slash of a topic `bench/N`.
static int number(const unsigned char *topic, int length) {
  int n = 0;
  for (int i = 6; i < length; i++) n = n * 10 + topic[i] - '0';
  return n;
}

// Every packet of this load is shorter than 128 bytes: its length is one byte.
static void packets(int from, const unsigned char *p, int length) {
  for (const unsigned char *end = p + length; p < end; p += p[1] + 2) switch (p[0] >> 4) {
    case 1: put(from, "\x20\2\0\0", 4); break;
    case 8:
      subscriber[number(p + 6, p[5])] = from;
      put(from, (char[]){0x90 - 256, 3, p[2], p[3], 1}, 5);
      break;
    case 3:
      put(subscriber[number(p + 4, p[3])], p, p[1] + 2);
      put(from, (char[]){0x40, 2, p[4 + p[3]], p[5 + p[3]]}, 4);
    }
}

int main(int argc, char **argv) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[argc - 1]))};
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  int listener = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0), yes = 1;
  if (bind(listener, (void *)&address, sizeof address) || listen(listener, 512)) return 1;
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[1024];
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
  static unsigned char bytes[ROOM];
  for (;;) {
    int count = epoll_wait(poll, events, 1024, -1);
    for (int i = 0; i < count; i++) {
      int from = events[i].data.fd;
      if (from == listener) {
        event.data.fd = accept(listener, 0, 0);
        setsockopt(event.data.fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        fcntl(event.data.fd, F_SETFL, O_NONBLOCK);
        out[event.data.fd] = calloc(1, sizeof(Out));
        epoll_ctl(poll, EPOLL_CTL_ADD, event.data.fd, &event);
        continue;
      }
      int length = read(from, bytes, ROOM);
      if (length == 0) {
        close(from);
        free(out[from]);
      } else if (length > 0) packets(from, bytes, length);
    }
    for (int i = 0; i < dirtyCount; i++) {
      Out *o = out[dirty[i]];
      if (write(dirty[i], o->bytes, o->length) < 0) return 1;
      o->length = 0;
    }
    dirtyCount = 0;
  }
}
