#define _GNU_SOURCE
#include "crew.h"

#include <immintrin.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_THREADS 64
#define SPINS 4000

struct crew {
    int size;
    pid_t owner;
    atomic_int arrived, turn;    /* of the barrier */
    atomic_uint order, asleep;   /* number of the job x 256 + threads it wants; how many wait without looking */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    void (*job)(int, int, const void *);
    const void *about;
};
static struct crew crew;

void meet(int n) {
    if (n == 1) return;
    int turn = atomic_load_explicit(&crew.turn, memory_order_acquire);
    if (atomic_fetch_add_explicit(&crew.arrived, 1, memory_order_acq_rel) == n - 1) {
        atomic_store_explicit(&crew.arrived, 0, memory_order_relaxed);
        atomic_store_explicit(&crew.turn, turn + 1, memory_order_release);
        return;
    }
    for (int spins = 0; atomic_load_explicit(&crew.turn, memory_order_acquire) == turn;)
        if (++spins < SPINS) _mm_pause();
        else sched_yield();
}

static unsigned await_order(unsigned last) {
    for (int spins = 0; spins < SPINS; spins++) {
        unsigned now = atomic_load_explicit(&crew.order, memory_order_acquire);
        if (now != last) return now;
        _mm_pause();
    }
    pthread_mutex_lock(&crew.lock);
    atomic_fetch_add(&crew.asleep, 1);
    while (atomic_load(&crew.order) == last) pthread_cond_wait(&crew.wake, &crew.lock);
    atomic_fetch_sub(&crew.asleep, 1);
    pthread_mutex_unlock(&crew.lock);
    return atomic_load(&crew.order);
}

static void *serve(void *number) {
    int me = (int)(intptr_t)number;
    for (unsigned order = 0;;) {
        order = await_order(order);
        if (me < (int)(order % 256)) crew.job(me, order % 256, crew.about);
    }
    return NULL;
}

/* With OMP_PROC_BIND the calling thread sits on one processor, and those that it starts would sit there too. */
static void spread(pthread_t thread) {
    cpu_set_t mine, others;
    if (!getenv("OMP_PROC_BIND") || sched_getaffinity(0, sizeof mine, &mine) || CPU_COUNT(&mine) > 1) return;
    memset(&others, 0xff, sizeof others);
    CPU_XOR(&others, &others, &mine);
    pthread_setaffinity_np(thread, sizeof others, &others);
}

/* Have n threads, this one among them, or as many as can be had. */
static int gather(int n) {
    if (crew.owner != getpid()) { /* the first time, or in a copy of the process, which has no threads but this */
        memset(&crew, 0, sizeof crew);
        crew.owner = getpid();
        crew.size = 1;
        pthread_mutex_init(&crew.lock, NULL);
        pthread_cond_init(&crew.wake, NULL);
    }
    for (; crew.size < n; crew.size++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)crew.size)) return crew.size;
        spread(thread);
        pthread_detach(thread);
    }
    return n;
}

void together(void (*job)(int, int, const void *), const void *about, int64_t threads) {
    const int n = gather(threads < MOST_THREADS ? (int)threads : MOST_THREADS);
    if (n > 1) {
        crew.job = job;
        crew.about = about;
        const unsigned count = atomic_load(&crew.order) / 256 + 1;
        atomic_store(&crew.order, count % (1u << 20) * 256 + (unsigned)n);
        if (atomic_load(&crew.asleep)) {
            pthread_mutex_lock(&crew.lock);
            pthread_cond_broadcast(&crew.wake);
            pthread_mutex_unlock(&crew.lock);
        }
    }
    job(0, n, about);
}
