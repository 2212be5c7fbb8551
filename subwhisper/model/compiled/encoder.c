/* Attention of an encoder: every position to every position, a few rows at a time, so that scores stay in the cache.
 *
 * Shapes: B windows, A audio positions, D width, H heads, d = D / H.
 */
#include <stdlib.h>
#include <string.h>

#include "crew.h"
#include "vectors.h"

#define WIDE (2 * LANES) /* queries at once, side by side: so nothing is ever added up across a vector */
#define DEEP 12          /* keys at once */
#define PART 8           /* of a head's width at once */
#define NEAR 64          /* keys whose weights are used up while they are near */

struct attention {
    const float *joined; /* (B * A, 3 D) queries, keys and values side by side */
    float *heard;        /* (B * A, D) */
    float *scratch;      /* for each thread `room` floats */
    int64_t windows, positions, width, heads, room;
};

/* Add `n` products to sums of some rows: numbers, which lie `across` apart from row to row and `along` apart from product
 * to product, times (n, WIDE) vectors. */
ALWAYS void multiply(const float *numbers, int64_t across, int64_t along, const float *vectors, int64_t n, vec (*sums)[2],
                     const int rows) {
    for (int64_t at = 0; at < n; at++) {
        const vec one = load(vectors + at * WIDE), other = load(vectors + at * WIDE + LANES);
#pragma GCC unroll 12
        for (int row = 0; row < rows; row++) {
            const vec number = all(numbers[row * across + at * along]);
            sums[row][0] = fma(number, one, sums[row][0]);
            sums[row][1] = fma(number, other, sums[row][1]);
        }
    }
}

/* (count, WIDE) scores of (d, WIDE) queries with (count, d) keys; the best of each query so far is kept in `best`. */
ALWAYS void score(const float *queries, const float *keys, int64_t d, float *scores, vec best[2], const int count) {
    vec sums[DEEP][2];
#pragma GCC unroll 12
    for (int key = 0; key < count; key++) sums[key][0] = sums[key][1] = zero();
    multiply(keys, d, 1, queries, d, sums, count);
#pragma GCC unroll 12
    for (int key = 0; key < count; key++)
#pragma GCC unroll 2
        for (int v = 0; v < 2; v++) {
            best[v] = larger(best[v], sums[key][v]);
            store(scores + key * WIDE + v * LANES, sums[key][v]);
        }
}

/* Add to (PART, WIDE) sums of (count, d) values weighed by (count, WIDE) weights. */
ALWAYS void weigh(const float *weights, const float *values, int64_t count, int64_t d, float *to) {
    vec sums[PART][2];
#pragma GCC unroll 8
    for (int i = 0; i < PART; i++)
#pragma GCC unroll 2
        for (int v = 0; v < 2; v++) sums[i][v] = load(to + i * WIDE + v * LANES);
    multiply(values, 1, d, weights, count, sums, PART);
#pragma GCC unroll 8
    for (int i = 0; i < PART; i++)
#pragma GCC unroll 2
        for (int v = 0; v < 2; v++) store(to + i * WIDE + v * LANES, sums[i][v]);
}

/* What WIDE queries (d, WIDE) hear, (d, WIDE); `scores` has room for (A, WIDE). */
static void attend_tile(const float *queries, const float *keys, const float *values, int64_t A, int64_t d,
                        float *scores, float *heard) {
    vec best[2] = {all(-INFINITY), all(-INFINITY)}, sums[2] = {zero(), zero()}, share[2];
    int64_t at = 0;
    for (; at + DEEP <= A; at += DEEP) score(queries, keys + at * d, d, scores + at * WIDE, best, DEEP);
    for (; at < A; at++) score(queries, keys + at * d, d, scores + at * WIDE, best, 1);
    memset(heard, 0, d * WIDE * sizeof(float));
    for (at = 0; at < A; at += NEAR) { /* weights stay in the nearest cache until all of the width has used them */
        const int64_t count = A - at < NEAR ? A - at : NEAR;
        for (float *here = scores + at * WIDE; here < scores + (at + count) * WIDE; here += WIDE)
#pragma GCC unroll 2
            for (int v = 0; v < 2; v++) {
                const vec e = exponential(sub(load(here + v * LANES), best[v]));
                sums[v] = add(sums[v], e);
                store(here + v * LANES, e);
            }
        for (int64_t i = 0; i < d; i += PART) weigh(scores + at * WIDE, values + at * d + i, count, d, heard + i * WIDE);
    }
    for (int v = 0; v < 2; v++) share[v] = divide(all(1.0f), sums[v]);
    for (int64_t i = 0; i < d; i++)
#pragma GCC unroll 2
        for (int v = 0; v < 2; v++) {
            float *here = heard + i * WIDE + v * LANES;
            store(here, mul(load(here), share[v]));
        }
}

static void attend(int me, int n, const void *about) {
    const struct attention *s = about;
    const int64_t A = s->positions, D = s->width, H = s->heads, d = D / H, stride = 3 * D;
    const int64_t tiles = (A + WIDE - 1) / WIDE, places = s->windows * H;
    const int64_t parts = places % n ? n : 1; /* of a head's queries, so that all threads have as much to do */
    float *keys = s->scratch + me * s->room, *values = keys + A * d, *scores = values + A * d;
    float *queries = scores + A * WIDE, *heard = queries + d * WIDE;
    const float scale = 1 / sqrtf(d);
    int64_t packed = -1;
    for (int64_t unit = places * parts * me / n; unit < places * parts * (me + 1) / n; unit++) {
        const int64_t place = unit / parts, part = unit % parts, window = place / H, head = place % H;
        const float *from = s->joined + window * A * stride + head * d;
        for (int64_t at = 0; at < A && packed != place; at++) {
            memcpy(keys + at * d, from + at * stride + D, d * sizeof(float));
            memcpy(values + at * d, from + at * stride + 2 * D, d * sizeof(float));
        }
        packed = place;
        for (int64_t tile = tiles * part / parts; tile < tiles * (part + 1) / parts; tile++) {
            const int64_t first = tile * WIDE, count = A - first < WIDE ? A - first : WIDE;
            for (int64_t q = 0; q < WIDE; q++) { /* the last tile asks its last query again and again */
                const float *query = from + (first + (q < count ? q : count - 1)) * stride;
                for (int64_t i = 0; i < d; i++) queries[i * WIDE + q] = query[i] * scale;
            }
            attend_tile(queries, keys, values, A, d, scores, heard);
            float *to = s->heard + (window * A + first) * D + head * d;
            for (int64_t q = 0; q < count; q++)
                for (int64_t i = 0; i < d; i++) to[q * D + i] = heard[i * WIDE + q];
        }
    }
    meet(n);
}

/* (B, A, 3 D) joined queries, keys and values to what is heard, (B, A, D); d a multiple of PART.
 * Zero, or -1 where there is no memory. One caller at a time. */
int attend_to_all(const float *joined, float *heard, int64_t B, int64_t A, int64_t D, int64_t H, int64_t threads) {
    const int64_t d = D / H, room = 2 * A * d + A * WIDE + 2 * d * WIDE + 64;
    float *scratch = malloc(threads * room * sizeof(float));
    if (!scratch) return -1;
    const struct attention about = {joined, heard, scratch, B, A, D, H, room};
    together(attend, &about, threads);
    free(scratch);
    return 0;
}
