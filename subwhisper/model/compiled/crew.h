/* Threads that stay, and do a job together. */
#pragma once
#include <stdint.h>

/* Have up to so many threads, the calling one among them, do `job(me, n, about)`, which ends with `meet(n)`.
 * One caller at a time. */
void together(void (*job)(int, int, const void *), const void *about, int64_t threads);

/* Inside a job: wait until all n threads are here. */
void meet(int n);
