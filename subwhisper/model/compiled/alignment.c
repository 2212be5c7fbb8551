/* Where tokens listen, and the cheapest way through it: engine/alignment.py and engine/dtw.py say what and why.
 *
 * Shapes: N heads, T tokens, A audio positions.
 */
#include <stdlib.h>
#include <string.h>

#include "crew.h"
#include "vectors.h"

#define WIDTH 7 /* of the median */
#define HALF (WIDTH / 2)

ALWAYS void order(vec *a, vec *b) {
    const vec low = smaller(*a, *b);
    *b = larger(*a, *b);
    *a = low;
}

/* The middle one of seven, by a network of 13 comparisons (Devillard 1998, "Fast median search"). */
ALWAYS vec median(vec p[WIDTH]) {
    order(p + 0, p + 5), order(p + 0, p + 3), order(p + 1, p + 6), order(p + 2, p + 4), order(p + 0, p + 1);
    order(p + 3, p + 5), order(p + 2, p + 6), order(p + 2, p + 3), order(p + 3, p + 6), order(p + 4, p + 5);
    order(p + 1, p + 4), order(p + 1, p + 3), order(p + 3, p + 4);
    return p[3];
}

/* Add the medians along n numbers, which are mirrored at both ends; `padded` has room for n + WIDTH + LANES. */
static void add_medians(const float *from, int64_t n, float *padded, float times, float *to) {
    memcpy(padded + HALF, from, n * sizeof(float));
    for (int64_t i = 1; i <= HALF; i++) {
        padded[HALF - i] = from[i];
        padded[HALF + n - 1 + i] = from[n - 1 - i];
    }
    for (int64_t at = 0; at < n; at += LANES) {
        vec p[WIDTH];
#pragma GCC unroll 7
        for (int i = 0; i < WIDTH; i++) p[i] = load(padded + at + i);
        const vec middle = mul(median(p), all(times));
        if (at + LANES <= n) {
            store(to + at, add(load(to + at), middle));
            continue;
        }
        float rest[LANES];
        store(rest, middle);
        for (int64_t i = at; i < n; i++) to[i] += rest[i - at];
    }
}

/* Each position's numbers over the tokens of a head, less their mean, in standard deviations; in place, some vectors
 * of positions from (T, A) weights. */
static void standardise(float *weights, int64_t T, int64_t A, int64_t first, int64_t end) {
    for (int64_t at = first * LANES; at < end * LANES; at += LANES) {
        vec sum = zero(), squares = zero();
        for (int64_t t = 0; t < T; t++) sum = add(sum, load(weights + t * A + at));
        const vec mean = divide(sum, all((float)T));
        for (int64_t t = 0; t < T; t++) {
            const vec apart = sub(load(weights + t * A + at), mean);
            squares = fma(apart, apart, squares);
        }
        const vec deviation = square_root(divide(squares, all((float)T)));
        for (int64_t t = 0; t < T; t++) {
            float *here = weights + t * A + at;
            store(here, where_positive(deviation, divide(sub(load(here), mean), deviation)));
        }
    }
}

struct smoothing {
    const float *scores; /* (N, T, stride) before softmax */
    int64_t N, T, stride, A, wide;
    float *weights; /* (T, wide) of the head at hand; rows have room for a whole vector at their end */
    float *padded;  /* (threads, wide + WIDTH + LANES) */
    float *map;     /* (T, A) */
};

/* Head after head; each thread has some of its tokens, and then of its positions. */
static void smooth(int me, int n, const void *job) {
    const struct smoothing *s = job;
    const int64_t T = s->T, A = s->A, wide = s->wide, vectors = wide / LANES;
    const int64_t first = T * me / n, end = T * (me + 1) / n;
    memset(s->map + first * A, 0, (end - first) * A * sizeof(float));
    for (int64_t head = 0; head < s->N; head++) {
        for (int64_t t = first; t < end; t++) {
            memcpy(s->weights + t * wide, s->scores + (head * T + t) * s->stride, A * sizeof(float));
            softmax(s->weights + t * wide, A, 1);
        }
        meet(n);
        standardise(s->weights, T, wide, vectors * me / n, vectors * (me + 1) / n), meet(n);
        float *padded = s->padded + me * (wide + WIDTH + LANES);
        for (int64_t t = first; t < end; t++) add_medians(s->weights + t * wide, A, padded, 1.0f / s->N, s->map + t * A);
    }
    meet(n);
}

/* The (T, A) mean over heads of normalised, smoothed attention, from (N, T, stride) scores before softmax of which the
 * first A > WIDTH / 2 positions count. Returns -1 where there is no memory. */
int attention_map(const float *scores, int64_t N, int64_t T, int64_t stride, int64_t A, float *map, int64_t threads) {
    const int64_t wide = (A + LANES - 1) / LANES * LANES;
    float *weights = calloc(T * wide + threads * (wide + WIDTH + LANES), sizeof(float));
    if (!weights) return -1;
    const struct smoothing job = {scores, N, T, stride, A, wide, weights, weights + T * wide, map};
    together(smooth, &job, threads);
    free(weights);
    return 0;
}

enum { BOTH, NEXT_TOKEN, NEXT_POSITION };

/* The cheapest path through (T, A) costs, as T + A places at most: tokens, then positions, the first of which is at
 * the end of its half. Returns its length, or -1 where there is no memory. */
int64_t cheapest_path(const float *cost, int64_t T, int64_t A, int64_t *path) {
    char *steps = malloc(T * A);
    float *sums = malloc(2 * (A + 1) * sizeof(float)), *above = sums, *here = sums + A + 1;
    if (!steps || !sums) {
        free(steps), free(sums);
        return -1;
    }
    for (int64_t a = 0; a <= A; a++) above[a] = a ? INFINITY : 0;
    for (int64_t t = 0; t < T; t++) {
        here[0] = INFINITY;
        for (int64_t a = 0; a < A; a++) {
            const float both = above[a], token = above[a + 1], position = here[a];
            const char step = both < token && both < position ? BOTH
                              : token < both && token < position ? NEXT_TOKEN
                                                                 : NEXT_POSITION;
            steps[t * A + a] = step;
            here[a + 1] = cost[t * A + a] + (step == BOTH ? both : step == NEXT_TOKEN ? token : position);
        }
        float *other = above;
        above = here, here = other;
    }
    int64_t t = T - 1, a = A - 1, length = 0;
    for (;; length++) {
        path[T + A - 1 - length] = t;
        path[2 * (T + A) - 1 - length] = a;
        if (!t && !a) break;
        const char step = !t ? NEXT_POSITION : !a ? NEXT_TOKEN : steps[t * A + a];
        t -= step != NEXT_POSITION;
        a -= step != NEXT_TOKEN;
    }
    free(steps), free(sums);
    return length + 1;
}
