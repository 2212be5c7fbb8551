/* The most probable of very many numbers, and which of them Whisper's timestamps rule out. */
#include "vectors.h"

/* The k best of n numbers, best first and the first of equals before the others, and log(sum(e^x)) of all. */
static void choose(const float *x, int64_t n, int64_t k, float *best, int64_t *at, float *logsumexp) {
    int64_t have = 0;
    for (int64_t place = 0; place < n; place += LANES) {
        const int64_t wide = n - place < LANES ? n - place : LANES;
        if (wide == LANES && have == k && !any_above(load(x + place), best[k - 1])) continue;
        for (int64_t i = place; i < place + wide; i++) {
            if (have == k && !(x[i] > best[k - 1])) continue;
            int64_t slot = have < k ? have++ : k - 1;
            for (; slot > 0 && x[i] > best[slot - 1]; slot--) best[slot] = best[slot - 1], at[slot] = at[slot - 1];
            best[slot] = x[i];
            at[slot] = i;
        }
    }
    if (best[0] == -INFINITY) {  /* nothing is allowed; a NaN must still show */
        *logsumexp = 0;
        for (int64_t place = 0; place < n; place++) *logsumexp += x[place];
        return;
    }
    const vec top = all(best[0]);
    vec sums = zero();
    float sum = 0;
    int64_t place = 0;
    for (; place + LANES <= n; place += LANES) sums = add(sums, exponential(sub(load(x + place), top)));
    for (; place < n; place++) sum += expf(x[place] - best[0]);
    *logsumexp = best[0] + logf(sum + total(sums));
}

/* Of the first n numbers in rows that lie `stride` apart. */
void choose_rows(const float *x, int64_t stride, int64_t rows, int64_t n, int64_t k, float *best, int64_t *at,
                 float *logsumexp) {
    for (int64_t row = 0; row < rows; row++) choose(x + row * stride, n, k, best + row * k, at + row * k, logsumexp + row);
}

static void rule_out(float *x, int64_t n) {
    for (int64_t at = 0; at < n; at++) x[at] = -INFINITY;
}

static float highest(const float *x, int64_t n) {
    vec best = all(-INFINITY);
    int64_t at = 0;
    for (; at + LANES <= n; at += LANES) best = larger(best, load(x + at));
    float found = greatest(best);
    for (; at < n; at++) found = x[at] > found ? x[at] : found;
    return found;
}

/* Rows of n logits, those of timestamps from `begin` on: rules out text up to `eot` where only a timestamp may come,
   timestamps before `earliest`, and all text where the timestamps together are likelier than any of it. */
void rule_by_timestamps(float *x, int64_t stride, int64_t rows, int64_t n, int64_t begin, int64_t eot,
                        const int64_t *no_text, const int64_t *earliest) {
    for (int64_t row = 0; row < rows; row++, x += stride) {
        if (no_text[row]) rule_out(x, eot);
        rule_out(x + begin, earliest[row] - begin);
        if (earliest[row] >= n) continue;
        float best, together;
        int64_t at;
        choose(x + begin, n - begin, 1, &best, &at, &together);
        if (together > highest(x, begin)) rule_out(x, begin);
    }
}
