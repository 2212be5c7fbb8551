/* A Whisper decoder's step for the few rows of decoding, on x86 processors.
 *
 * Decoding waits for memory: every step fetches all weights, and the keys and values of the audio. So weights lie in the
 * order in which they are read, in half precision or 8 bits, and are widened in registers; activations and sums are
 * float32. One call does a whole step, with its own threads, which meet at barriers instead of being started anew
 * for each operation.
 *
 * Shapes: N rows (decoder rows x tokens, the tokens of a row are neighbours), T tokens, D width, H heads, d = D / H,
 * I inputs, O outputs, A audio positions, C capacity of the cache, V vocabulary.
 */
#include <string.h>

#include "crew.h"
#include "vectors.h"

enum { FLOAT32 = 0, FLOAT16 = 1, INT8 = 2 };

/* ---- what Python hands over (compiled/library.py has the same structures) ---- */

struct matrix {
    const void *weights; /* (O / BLOCK, I, BLOCK) of `kind`; the last block is filled up */
    const float *scale;  /* (O) what a step of an output's weights is worth; only of INT8 */
    const float *bias;   /* (O) or NULL */
    int64_t inputs, outputs, kind;
};

struct norm {
    const float *weight, *bias; /* (D) */
};

struct layer {
    struct norm said_norm, heard_norm, wide_norm;
    struct matrix joined, said_out, query, heard_out, widen, narrow;
};

struct cross { /* of one layer: (2, B, H, d, A) keys and values of the audio */
    const void *keys, *values;
};

struct step {
    const struct layer *layers;
    struct norm last_norm;
    struct matrix vocabulary;
    const struct cross *cross;  /* one per layer */
    float *known;               /* (layers, 2, R, H, C, d) keys and values of the text */
    const int64_t *filler;      /* (R) tokens at the start that count as not there, or NULL */
    const int64_t *asked;       /* (n_asked) which of the N rows want logits */
    const int64_t *slots;       /* (layers, H) place of a head among those whose scores are kept, or -1; or NULL */
    float *x;                   /* (N, D) embedded tokens; changes */
    float *logits;              /* (n_asked, V) */
    float *scores;              /* (R, n_slots, T, A) cross scores before softmax */
    float *scratch;             /* `scratch_floats` of it */
    int64_t n_layers, n_rows, n_tokens, width, heads, length, capacity, shared, positions, cross_kind, n_asked, n_slots;
    /* shared: rows of one window, neighbours; length: tokens known before this step */
};

#define BLOCK 32
#define QUERIES 8 /* that read the audio together */
#define AHEAD 4096 /* bytes: processors do not fetch ahead beyond a page by themselves */

#define ROWS_AT_ONCE (LANES == 16 ? 12 : 3) /* whose sums fit into the registers; five are the usual beams */
#define VECTORS (BLOCK / LANES) /* of a block's outputs */

/* Half of x, times one plus the error function of x / sqrt(2); the function after Abramowitz & Stegun 7.1.26. */
ALWAYS vec gelu(vec x) {
    vec z = mul(without_sign(x), all(0.70710678f));
    vec t = divide(all(1.0f), fma(z, all(0.3275911f), all(1.0f)));
    vec p = all(1.061405429f);
    p = fma(p, t, all(-1.453152027f));
    p = fma(p, t, all(1.421413741f));
    p = fma(p, t, all(-0.284496736f));
    p = fma(p, t, all(0.254829592f));
    vec far = mul(mul(p, t), exponential(sub(zero(), mul(z, z))));
    vec erf = with_sign_of(sub(all(1.0f), far), x);
    return mul(mul(x, all(0.5f)), add(all(1.0f), erf));
}

ALWAYS vec weights_at(const void *weights, int64_t at, int kind) {
    if (kind == FLOAT16) return half((const uint16_t *)weights + at);
    if (kind == INT8) return whole((const int8_t *)weights + at);
    return load((const float *)weights + at);
}

ALWAYS size_t bytes_of(int kind) { return kind == FLOAT32 ? 4 : kind == FLOAT16 ? 2 : 1; }

/* ---- the parts of a step; each thread does its share ---- */

static void normalise(int me, int n, const struct norm *norm, const float *x, float *y, int64_t rows, int64_t width) {
    for (int64_t row = me; row < rows; row += n) {
        const float *from = x + row * width;
        float *to = y + row * width;
        vec sum = zero(), squares = zero();
        for (int64_t at = 0; at < width; at += LANES) sum = add(sum, load(from + at));
        vec mean = all(total(sum) / width);
        for (int64_t at = 0; at < width; at += LANES) {
            vec apart = sub(load(from + at), mean);
            squares = fma(apart, apart, squares);
        }
        vec shrink = all(1.0f / sqrtf(total(squares) / width + 1e-5f));
        for (int64_t at = 0; at < width; at += LANES)
            store(to + at, fma(mul(sub(load(from + at), mean), shrink), load(norm->weight + at), load(norm->bias + at)));
    }
}

enum { PUT, ADD, GELU }; /* what becomes of a product: stored, added to what is there, stored after GELU */

ALWAYS void few(const struct matrix *m, int64_t block, const void *weights, int kind, const float *x, float *y,
                int64_t stride, int then, const int rows) {
    const int64_t inputs = m->inputs, first = block * BLOCK;
    vec sums[ROWS_AT_ONCE][VECTORS];
#pragma GCC unroll 16
    for (int row = 0; row < rows; row++)
#pragma GCC unroll 4
        for (int v = 0; v < VECTORS; v++) sums[row][v] = zero();
    for (int64_t in = 0; in < inputs; in++) {
        const char *here = (const char *)weights + in * BLOCK * bytes_of(kind);
        _mm_prefetch(here + AHEAD, _MM_HINT_T0);
        if (kind == FLOAT32) _mm_prefetch(here + AHEAD + 64, _MM_HINT_T0);
        vec w[VECTORS];
#pragma GCC unroll 4
        for (int v = 0; v < VECTORS; v++) w[v] = weights_at(weights, in * BLOCK + v * LANES, kind);
#pragma GCC unroll 16
        for (int row = 0; row < rows; row++) {
            vec value = all(x[row * inputs + in]);
#pragma GCC unroll 4
            for (int v = 0; v < VECTORS; v++) sums[row][v] = fma(value, w[v], sums[row][v]);
        }
    }
    const int64_t wide = m->outputs - first < BLOCK ? m->outputs - first : BLOCK;
    for (int row = 0; row < rows; row++) {
        float out[BLOCK] __attribute__((aligned(64)));
        float *to = y + row * stride + first;
        for (int v = 0; v < VECTORS; v++) store(out + v * LANES, sums[row][v]);
        if (wide < BLOCK) { /* the last block of the vocabulary */
            for (int64_t at = 0; at < wide; at++)
                to[at] = out[at] * (m->scale ? m->scale[first + at] : 1) + (m->bias ? m->bias[first + at] : 0);
            continue;
        }
        for (int v = 0; v < VECTORS; v++) {
            vec value = load(out + v * LANES);
            if (m->scale) value = mul(value, load(m->scale + first + v * LANES));
            if (m->bias) value = add(value, load(m->bias + first + v * LANES));
            if (then == GELU) value = gelu(value);
            if (then == ADD) value = add(value, load(to + v * LANES));
            store(to + v * LANES, value);
        }
    }
}

ALWAYS void block_of(const struct matrix *m, int64_t block, const void *weights, int kind, const float *x, float *y,
                     int64_t n_rows, int then) {
    for (int64_t row = 0; row < n_rows;) {
        const float *from = x + row * m->inputs;
        float *to = y + row * m->outputs;
#define TRY(count) \
    if (n_rows - row >= count) { \
        few(m, block, weights, kind, from, to, m->outputs, then, count); \
        row += count; \
        continue; \
    }
#if LANES == 16
        TRY(12) TRY(8) TRY(5)
#endif
        TRY(3) TRY(1)
#undef TRY
    }
}

ALWAYS const float *widened(const void *weights, int64_t n, int kind, float *to) {
    for (int64_t at = 0; at < n; at += LANES) store(to + at, weights_at(weights, at, kind));
    return to;
}

#define MANY (2 * ROWS_AT_ONCE) /* rows for which it pays to turn a block's weights into float32 once */

/* (rows, I) x, times a matrix, to (rows, O) y; `mine` has room for a block's weights. */
static void product(int me, int n, const struct matrix *m, const float *x, float *y, int64_t rows, int then,
                    float *mine) {
    const int64_t blocks = (m->outputs + BLOCK - 1) / BLOCK, size = m->inputs * BLOCK;
    for (int64_t block = blocks * me / n; block < blocks * (me + 1) / n; block++) {
        const void *weights = (const char *)m->weights + block * size * bytes_of(m->kind);
        if (m->kind == FLOAT32 || rows >= MANY) {
            if (m->kind == FLOAT16) weights = widened(weights, size, FLOAT16, mine);
            if (m->kind == INT8) weights = widened(weights, size, INT8, mine);
            block_of(m, block, weights, FLOAT32, x, y, rows, then);
        } else if (m->kind == FLOAT16)
            block_of(m, block, weights, FLOAT16, x, y, rows, then);
        else
            block_of(m, block, weights, INT8, x, y, rows, then);
    }
}

/* What each head of each row hears from the text before; (N, 3 D) joined queries, keys and values to (N, D). */
static void text_before(int me, int n, const struct step *s, int64_t layer, const float *joined, float *heard,
                        float *weights) {
    const int64_t D = s->width, H = s->heads, d = D / H, T = s->n_tokens, C = s->capacity;
    const int64_t rows = s->n_rows / T; /* decoder rows */
    for (int64_t unit = me; unit < rows * H; unit += n) {
        const int64_t row = unit / H, head = unit % H;
        float *keys = s->known + (((layer * 2) * rows + row) * H + head) * C * d;
        float *values = keys + rows * H * C * d;
        for (int64_t t = 0; t < T; t++) { /* written first: a step's own tokens see each other */
            const float *from = joined + (row * T + t) * 3 * D + head * d;
            memcpy(keys + (s->length + t) * d, from + D, d * sizeof(float));
            memcpy(values + (s->length + t) * d, from + 2 * D, d * sizeof(float));
        }
        for (int64_t t = 0; t < T; t++) {
            const float *query = joined + (row * T + t) * 3 * D + head * d;
            const int64_t last = s->length + t;
            int64_t first = s->filler ? s->filler[row] : 0;
            if (first > last) first = 0; /* filler sees filler */
            for (int64_t at = first; at <= last; at++) {
                vec sum = zero();
                for (int64_t i = 0; i < d; i += LANES) sum = fma(load(query + i), load(keys + at * d + i), sum);
                weights[at] = total(sum);
            }
            softmax(weights + first, last + 1 - first, 1 / sqrtf(d));
            float *to = heard + (row * T + t) * D + head * d;
            for (int64_t i = 0; i < d; i += LANES) {
                vec sum = zero();
                for (int64_t at = first; at <= last; at++)
                    sum = fma(all(weights[at]), load(values + at * d + i), sum);
                store(to + i, sum);
            }
        }
    }
}


ALWAYS float number_at(const void *numbers, int64_t at, int kind) {
    return kind == FLOAT16 ? _cvtsh_ss(((const uint16_t *)numbers)[at]) : ((const float *)numbers)[at];
}

/* Have what is read some rows later fetched; a line holds two vectors of half precision. */
ALWAYS void ahead(const void *numbers, int64_t at, int64_t rows, int64_t A, int kind) {
    if (kind == FLOAT32 || !(at & LANES))
        _mm_prefetch((const char *)numbers + (at + rows * A) * bytes_of(kind), _MM_HINT_T0);
}

/* (count, A) scores of queries and (d, A) keys. */
ALWAYS void compare(const float *const *queries, const int count, const void *keys, int64_t d, int64_t A, float *scores,
                    int kind) {
    for (int64_t i = 0; i < d; i += 4) {
        int64_t at = 0;
        for (; at + LANES <= A; at += LANES) {
            vec key[4];
#pragma GCC unroll 4
            for (int j = 0; j < 4; j++) {
                key[j] = weights_at(keys, (i + j) * A + at, kind);
                ahead(keys, (i + j) * A + at, 4, A, kind);
            }
#pragma GCC unroll 8
            for (int q = 0; q < count; q++) {
                vec sum = i ? load(scores + q * A + at) : zero();
#pragma GCC unroll 4
                for (int j = 0; j < 4; j++) sum = fma(all(queries[q][i + j]), key[j], sum);
                store(scores + q * A + at, sum);
            }
        }
        for (; at < A; at++)
            for (int q = 0; q < count; q++) {
                float sum = i ? scores[q * A + at] : 0;
                for (int j = 0; j < 4; j++) sum += queries[q][i + j] * number_at(keys, (i + j) * A + at, kind);
                scores[q * A + at] = sum;
            }
    }
}

/* Sums of (d, A) values weighed by (count, A) weights, to count vectors of d. */
ALWAYS void weigh(const float *weights, const int count, const void *values, int64_t d, int64_t A, float *const *to,
                  int kind) {
    for (int64_t i = 0; i < d; i += 2) {
        vec sums[QUERIES][2];
#pragma GCC unroll 8
        for (int q = 0; q < count; q++) sums[q][0] = sums[q][1] = zero();
        int64_t at = 0;
        for (; at + LANES <= A; at += LANES) {
            const vec one = weights_at(values, i * A + at, kind), other = weights_at(values, (i + 1) * A + at, kind);
            ahead(values, i * A + at, 2, A, kind);
            ahead(values, (i + 1) * A + at, 2, A, kind);
#pragma GCC unroll 8
            for (int q = 0; q < count; q++) {
                const vec weight = load(weights + q * A + at);
                sums[q][0] = fma(weight, one, sums[q][0]);
                sums[q][1] = fma(weight, other, sums[q][1]);
            }
        }
        for (int q = 0; q < count; q++)
            for (int j = 0; j < 2; j++) {
                float sum = total(sums[q][j]);
                for (int64_t rest = at; rest < A; rest++)
                    sum += weights[q * A + rest] * number_at(values, (i + j) * A + rest, kind);
                to[q][i + j] = sum;
            }
    }
}

/* What each head of each row hears from the audio; (N, D) queries to (N, D). */
static void audio(int me, int n, const struct step *s, int64_t layer, const float *queries, float *heard,
                  float *scores) {
    const int64_t D = s->width, H = s->heads, d = D / H, A = s->positions;
    const int64_t together = s->shared * s->n_tokens; /* rows that hear the same window, neighbours */
    const int64_t groups = (together + QUERIES - 1) / QUERIES, windows = s->n_rows / together;
    const size_t bytes = bytes_of(s->cross_kind);
    for (int64_t unit = me; unit < windows * H * groups; unit += n) {
        const int64_t group = unit % groups, head = unit / groups % H, window = unit / groups / H;
        const int64_t first = window * together + group * QUERIES;
        const int64_t left = together - group * QUERIES;
        const int count = left < QUERIES ? (int)left : QUERIES;
        const char *keys = (const char *)s->cross[layer].keys + (window * H + head) * d * A * bytes;
        const char *values = (const char *)s->cross[layer].values + (window * H + head) * d * A * bytes;
        const float *ask[QUERIES];
        float *to[QUERIES];
        for (int q = 0; q < count; q++) {
            ask[q] = queries + (first + q) * D + head * d;
            to[q] = heard + (first + q) * D + head * d;
        }
        const int is_half = s->cross_kind == FLOAT16;
        for (int q = 0; q < count;) {
#define TRY(some) \
    if (count - q >= some) { \
        if (is_half) compare(ask + q, some, keys, d, A, scores + q * A, FLOAT16); \
        else compare(ask + q, some, keys, d, A, scores + q * A, FLOAT32); \
        q += some; \
        continue; \
    }
            TRY(8) TRY(5) TRY(2) TRY(1)
#undef TRY
        }
        const int64_t slot = s->slots ? s->slots[layer * H + head] : -1;
        for (int q = 0; q < count; q++) {
            if (slot >= 0) {
                const int64_t row = (first + q) / s->n_tokens, token = (first + q) % s->n_tokens;
                float *kept = s->scores + ((row * s->n_slots + slot) * s->n_tokens + token) * A;
                for (int64_t at = 0; at < A; at++) kept[at] = scores[q * A + at] / sqrtf(d);
            }
            softmax(scores + q * A, A, 1 / sqrtf(d));
        }
        for (int q = 0; q < count;) {
#define TRY(some) \
    if (count - q >= some) { \
        if (is_half) weigh(scores + q * A, some, values, d, A, to + q, FLOAT16); \
        else weigh(scores + q * A, some, values, d, A, to + q, FLOAT32); \
        q += some; \
        continue; \
    }
            TRY(8) TRY(5) TRY(2) TRY(1)
#undef TRY
        }
    }
}

ALWAYS int64_t larger_of(int64_t a, int64_t b) { return a > b ? a : b; }

/* Floats that a thread needs for itself: scores of queries, or a block's weights of the widest matrix. */
static int64_t room_of_one(const struct step *s) {
    return larger_of(larger_of(QUERIES * s->positions, s->capacity), 4 * s->width * BLOCK) + 64;
}

static void work(int me, int n, const void *job) {
    const struct step *s = job;
    const int64_t N = s->n_rows, D = s->width;
    float *normal = s->scratch, *joined = normal + N * D, *heard = joined + 3 * N * D, *wide = heard + N * D;
    float *mine = wide + 4 * N * D + me * room_of_one(s);
    for (int64_t at = 0; at < s->n_layers; at++) {
        const struct layer *layer = s->layers + at;
        normalise(me, n, &layer->said_norm, s->x, normal, N, D), meet(n);
        product(me, n, &layer->joined, normal, joined, N, PUT, mine), meet(n);
        text_before(me, n, s, at, joined, heard, mine), meet(n);
        product(me, n, &layer->said_out, heard, s->x, N, ADD, mine), meet(n);
        normalise(me, n, &layer->heard_norm, s->x, normal, N, D), meet(n);
        product(me, n, &layer->query, normal, joined, N, PUT, mine), meet(n);
        audio(me, n, s, at, joined, heard, mine), meet(n);
        product(me, n, &layer->heard_out, heard, s->x, N, ADD, mine), meet(n);
        normalise(me, n, &layer->wide_norm, s->x, normal, N, D), meet(n);
        product(me, n, &layer->widen, normal, wide, N, GELU, mine), meet(n);
        product(me, n, &layer->narrow, wide, s->x, N, ADD, mine), meet(n);
    }
    for (int64_t asked = me; asked < s->n_asked; asked += n)
        normalise(0, 1, &s->last_norm, s->x + s->asked[asked] * D, normal + asked * D, 1, D);
    meet(n);
    product(me, n, &s->vocabulary, normal, s->logits, s->n_asked, PUT, mine);
    meet(n);
}

/* ---- what Python calls ---- */

int64_t scratch_floats(const struct step *s, int64_t threads) {
    return 9 * s->n_rows * s->width + threads * room_of_one(s);
}

/* Do a step with up to so many threads; one caller at a time. */
void take_step(const struct step *step, int64_t threads) { together(work, step, threads); }
