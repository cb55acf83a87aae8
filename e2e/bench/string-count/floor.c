/*
 * The floor for counting a CSV file of three upper-case letters and a positive number a line: one pass on one core into a table
 * of 26³ sums, without any check of the input.
 *
 *   floor memory FILE OUT   times the pass over bytes that are in memory already
 *   floor file FILE OUT     times reading the file in blocks, too
 *
 * Writes the sums sorted by key to OUT, which is not timed, and prints {"seconds": S}.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { KEYS = 26 * 26 * 26, BLOCK = 1 << 20, LONGEST_LINE = 64 };

static uint64_t sums[KEYS];

/* Counts whole lines; gives where the first unfinished one begins. */
static const uint8_t *count(const uint8_t *p, const uint8_t *end) {
  while (end - p >= LONGEST_LINE || (end > p && memchr(p, '\n', (size_t)(end - p)) != NULL)) {
    uint32_t key = ((p[0] - 'A') * 26u + (p[1] - 'A')) * 26u + (p[2] - 'A');
    uint64_t value = 0;
    for (p += 4; *p != '\n'; p++) value = value * 10 + (*p - '0');
    sums[key] += value;
    p++;
  }
  return p;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static size_t fill(int file, uint8_t *target, size_t size) {
  size_t have = 0;
  ssize_t got;
  while (have < size && (got = read(file, target + have, size - have)) > 0) have += (size_t)got;
  return have;
}

static int fail(const char *what) {
  perror(what);
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 4) return fprintf(stderr, "usage: floor memory|file FILE OUT\n"), 2;
  int in_memory = strcmp(argv[1], "memory") == 0;
  int file = open(argv[2], O_RDONLY);
  struct stat info;
  if (file < 0 || fstat(file, &info) != 0) return fail(argv[2]);
  size_t size = in_memory ? (size_t)info.st_size : BLOCK;
  uint8_t *bytes = malloc(size + LONGEST_LINE);
  if (bytes == NULL) return fail("malloc");

  double start = now();
  size_t have = fill(file, bytes, size);
  if (in_memory) start = now();
  const uint8_t *header = memchr(bytes, '\n', have);
  const uint8_t *rest = header == NULL ? bytes : header + 1;
  for (;;) {
    rest = count(rest, bytes + have);
    size_t left = (size_t)(bytes + have - rest);
    if (in_memory) break;
    memmove(bytes, rest, left);
    size_t more = fill(file, bytes + left, BLOCK - left);
    have = left + more;
    rest = bytes;
    if (more == 0) break;
  }
  double seconds = now() - start;

  FILE *out = fopen(argv[3], "w");
  if (out == NULL) return fail(argv[3]);
  fputs("key,value\n", out);
  for (int key = 0; key < KEYS; key++) {
    if (sums[key] == 0) continue;
    fprintf(out, "%c%c%c,%llu\n", 'A' + key / 676, 'A' + key / 26 % 26, 'A' + key % 26, (unsigned long long)sums[key]);
  }
  if (fclose(out) != 0) return fail(argv[3]);
  printf("{\"seconds\": %.6f}\n", seconds);
  return 0;
}
