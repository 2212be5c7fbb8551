/* The most probable of very many numbers. */
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
