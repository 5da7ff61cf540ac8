/*
 * kernel.h - the table of inner loops: raw pointers, no type of the library.
 *
 * Every row of the table computes the same bits. That holds because a product is one chain of fused multiply-adds a result
 * (vectors run across results), a reduction along a row has 16 virtual lanes and a fixed tree, and every elementary function
 * is the same sequence of IEEE operations whatever the width of the vector.
 */
#ifndef HILL_KERNEL_KERNEL_H
#define HILL_KERNEL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Before a loop of a constant length that must be laid out flat, so that its array lives in registers. */
#if defined(__clang__)
#define HILL__UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define HILL__UNROLL _Pragma("GCC unroll 16")
#else
#define HILL__UNROLL
#endif

/* Asks the machine to fetch what is soon read (0) or written (1). */
#if defined(__GNUC__)
#define HILL__EXPECT(address, write) __builtin_prefetch(address, write)
#else
#define HILL__EXPECT(address, write) (void)(address)
#endif

/* Elementwise functions. `map` is y = f(x); `slope` multiplies d by f'. A slope takes y where f' is known from it, else x. */
#define HILL__MAPS(X) \
    X(sigmoid)        \
    X(tanh)           \
    X(exp)            \
    X(relu)           \
    X(leaky_relu)     \
    X(elu)            \
    X(selu)           \
    X(gelu)           \
    X(silu)           \
    X(mish)           \
    X(softplus)

typedef enum hill__map {
    HILL__MAP_identity,
#define MAP_ENUM(name) HILL__MAP_##name,
    HILL__MAPS(MAP_ENUM)
#undef MAP_ENUM
        HILL__MAP_COUNT
} hill__map;

typedef void (*hill__map_loop)(float *y, const float *x, size_t n);
typedef void (*hill__slope_loop)(float *d, const float *v, size_t n);

/* Virtual lanes of a reduction, whatever the instruction set; what vectors are padded to and split at. */
#define HILL__LANES 16u

/*
 * c[rows][cols] = a[rows][depth] * b[depth][cols] (+ bias) or, with `add`, c + that. Strides count floats; element (i, k) of a
 * is a[i * a_row + k * a_step], so that a transposed operand needs no copy. Rows of b and c are contiguous.
 *
 * What may follow while a tile of results is at hand: `map` writes y = map(c), y laid out as c (and may be c); or `slope`
 * multiplies c by the slope at v, laid out as c.
 */
typedef struct hill__gemm {
    const float *a;
    size_t a_row, a_step;
    const float *b;
    size_t b_row;
    float *c;
    size_t c_row;
    size_t rows, cols, depth;
    const float *bias; /* [cols] or NULL */
    bool add;
    bool resume;        /* chains go on from c: a product that is cut along its depth; not with `add` */
    const float *ahead; /* set within the kernels: what a tile fetches of b meanwhile, so many rows for each of its own */
    size_t ahead_row, ahead_rows;
    float *broken; /* NULL, or 16 floats: becomes something other than zeros where a result isn't finite */
    hill__map_loop map;
    float *y;
    hill__slope_loop slope;
    const float *v;
} hill__gemm;

/* The numbers that costs have of their own, each that of the knob of its name. */
typedef struct hill__cost_knobs {
    float delta;     /* huber's */
    float quantile;  /* quantile's */
    float focus;     /* focal's */
    float smoothing; /* of the cross-entropies and focal */
} hill__cost_knobs;

/* One row a data row: cost[r] = cost of y[r][n] against t[r][n], and where d isn't NULL d[r][n] = scale * its gradient. */
typedef struct hill__cost {
    const float *y;
    const float *t;
    float *d;
    float *cost;
    size_t rows, n;
    float scale;
    hill__cost_knobs knobs;
} hill__cost;

/*
 * A dense layer as a single row meets it, at most HILL__LANES outputs: z = x w + bias, y = map(z); d, the gradient of y, becomes
 * that of z, from which follow dw, dbias and dx. z, y, d and dx have room for whole vectors. z is where the map's slope is taken.
 */
typedef struct hill__single {
    size_t inputs, outputs;
    hill__map map;
    const float *x, *w, *bias;
    float *z, *y;
    float *d;
    float *dw, *dbias, *dx;
} hill__single;

/*
 * Loops over what a window sees: y[rows][n] becomes x[rows][n], y + factor * x, or the larger of both, where the rows lie y_row and
 * x_row floats apart.
 */
typedef void (*hill__window_loop)(float *y, size_t y_row, const float *x, size_t x_row, size_t rows, size_t n, float factor);

/* What is done with the columns of a matrix: a factor for x, one for y, and what is added. */
typedef struct hill__column_map {
    const float *a, *p, *q;
} hill__column_map;

/* Activations with a weight for each column. */
#define HILL__BENDS(X) \
    X(prelu)           \
    X(swish)

typedef enum hill__bend {
#define BEND_ENUM(name) HILL__BEND_##name,
    HILL__BENDS(BEND_ENUM)
#undef BEND_ENUM
        HILL__BEND_COUNT
} hill__bend;

/* Costs that are sums over outputs, each of its own target; and those that look at a row as a whole. */
#define HILL__COSTS_BY_UNIT(X) \
    X(squared)                 \
    X(absolute)                \
    X(huber)                   \
    X(quantile)                \
    X(poisson)                 \
    X(sigmoid_cross_entropy)
#define HILL__COSTS_BY_ROW(X) \
    X(softmax_cross_entropy)  \
    X(softmax_focal)          \
    X(hinge)
#define HILL__COSTS(X)     \
    HILL__COSTS_BY_UNIT(X) \
    HILL__COSTS_BY_ROW(X)

typedef enum hill__cost_kind {
#define COST_ENUM(name) HILL__COST_##name,
    HILL__COSTS(COST_ENUM)
#undef COST_ENUM
        HILL__COST_COUNT
} hill__cost_kind;

/* What one step of a rule needs, the same for every weight. Fields a rule doesn't use are 0. */
typedef struct hill__update {
    float rate;
    float decay;                      /* added to the gradient, times the weight */
    float lasso;                      /* likewise, times the weight's sign */
    float keep;                       /* adamw: what the weight is multiplied with first */
    float momentum;                   /* momentum, nesterov; beta1 of adam; alpha of rmsprop */
    float square;                     /* beta2 of adam */
    float momentum_rest, square_rest; /* 1 - momentum, 1 - square, rounded once */
    float epsilon;
    float correction;            /* adam: 1 / sqrt(1 - beta2^t) */
    float mean_part, slope_part; /* nadam: what mean and gradient are multiplied with */
    float blend;                 /* schedule-free: weight of the newest point in the mean of all */
    float least, most;           /* rprop: bounds of a weight's step, in rates */
} hill__update;

/* What a mask drops: floats whose 16 bits are under `least`; others become `stretch`. The first float begins a group of 128. */
typedef struct hill__drop {
    uint32_t key[2], purpose;
    uint64_t group;
    float least, stretch;
} hill__drop;
#define HILL__DROP_GROUP 128u

#define HILL__RULES(X) \
    X(sgd)             \
    X(momentum)        \
    X(nesterov)        \
    X(adagrad)         \
    X(rmsprop)         \
    X(adam)            \
    X(nadam)           \
    X(schedule_free)   \
    X(rprop)           \
    X(quickprop)

typedef enum hill__rule_kind {
#define RULE_ENUM(name) HILL__RULE_##name,
    HILL__RULES(RULE_ENUM)
#undef RULE_ENUM
        HILL__RULE_COUNT,
    HILL__RULE_none = HILL__RULE_COUNT
} hill__rule_kind;

typedef struct hill__kernels {
    const char *name;
    size_t tile_rows, tile_cols; /* threads split results at multiples of these */
    size_t thread_work;          /* multiply-adds that one more thread of a loop must have to do */
    double thread_reuse;         /* multiply-adds a float must be good for to be worth its way to another core */
    void (*gemm)(const hill__gemm *g);
    /* Up, the cost of the one row, and down; whether the whole gradient is finite. */
    bool (*single_walk)(const hill__single *layers, size_t count, hill__cost_kind kind, const hill__cost *cost);
    hill__map_loop map[HILL__MAP_COUNT];     /* NULL for identity */
    hill__slope_loop slope[HILL__MAP_COUNT]; /* NULL for identity */
    void (*softmax)(float *y, const float *x, size_t rows, size_t n);
    void (*softmax_slope)(float *d, const float *y, size_t rows, size_t n);
    void (*cost[HILL__COST_COUNT])(const hill__cost *cost);
    /* One step; whether all weights, and what the rule keeps, are finite after it. */
    bool (*rule[HILL__RULE_COUNT])(float *w, const float *g, float *m, float *v, size_t n, const hill__update *u);
    /* out = (x - mean) / sqrt(variance + 1e-5) of every line of n, with one over that root into inverse[lines]; and its slope. */
    void (*standardize)(float *out, float *inverse, const float *x, size_t lines, size_t n);
    void (*standardize_slope)(float *d, const float *y, const float *inverse, size_t lines, size_t n);
    void (*drop)(float *mask, size_t n, const hill__drop *drop);
    void (*multiply)(float *out, const float *a, const float *b, size_t n); /* out may be a */
    /* Columns of w[rows][cols], rows w_row floats apart, that are longer than `most` become that long. */
    void (*shorten)(float *w, size_t w_row, size_t rows, size_t cols, float most);
    /* out = a + part * (b - a); out may be a. */
    void (*blend)(float *out, const float *a, const float *b, size_t n, float part);
    double (*squares)(const float *x, size_t n);                 /* their sum; n is padded */
    void (*bound)(float *x, size_t n, float factor, float most); /* x * factor, between -most and most */
    void (*add_rows)(float *sum, const float *x, size_t rows, size_t cols, size_t n, bool add);
    void (*transpose)(float *out, size_t out_row, const float *in, size_t in_row, size_t rows, size_t cols);
    /* sum[cols] += (x - mean) * y of every row, x and y laid out alike, one chain a column; y NULL: (x - mean) again. */
    void (*column_products)(float *sum, const float *x, const float *mean, const float *y, size_t rows, size_t cols, size_t n);
    /* out = a x + p y + q of every row, with a, p, q [cols]; out may be x or y. */
    void (*column_map)(float *out, const float *x, const float *y, const hill__column_map *map, size_t rows, size_t cols);
    /* y = f(x, w) of every row, with w [cols]; dx = d times f's slope by x; sum[cols] += d times its slope by w, of rows of n. */
    void (*bend[HILL__BEND_COUNT])(float *y, const float *x, const float *w, size_t rows, size_t cols);
    void (*bend_slope[HILL__BEND_COUNT])(float *dx, const float *d, const float *x, const float *w, size_t rows, size_t cols);
    void (*bend_weights[HILL__BEND_COUNT])(float *sum, const float *d, const float *x, const float *w, size_t rows, size_t cols,
                                           size_t n);
    /* y[rows][cols][2n]: the sines of a turn times x[rows][cols] w[cols][n], then the cosines. */
    void (*waves)(float *y, const float *x, const float *w, size_t rows, size_t cols, size_t n);
    /* dx from d, laid out as y; and the gradient of the w of a column, from its first x, y and d, in rows of so many columns. */
    void (*waves_slope)(float *dx, const float *d, const float *y, const float *w, size_t rows, size_t cols, size_t n);
    void (*waves_weights)(float *dw, const float *d, const float *y, const float *x, size_t rows, size_t cols, size_t n,
                          bool add);
    bool (*finite)(const float *x, size_t n);
    hill__window_loop copy_window, add_window, max_window;
    /* y += x w of every row, with w [n]; and sum[n] += x y of every row, one chain each. */
    void (*weigh_window)(float *y, size_t y_row, const float *x, size_t x_row, const float *w, size_t rows, size_t n);
    void (*window_products)(float *sum, const float *x, size_t x_row, const float *y, size_t y_row, size_t rows, size_t n);
    /* dx += d where x, laid out as dx, is the most of its window, y, laid out as d: each d goes to the first that is asked. */
    void (*give_window)(float *dx, const float *x, size_t x_row, float *d, const float *y, size_t rows, size_t n);
    void (*spread)(float *y, const unsigned char *bytes, size_t n, float scale, float shift); /* bytes to floats */
    double (*work)(uint64_t rounds, float *out); /* fused multiply-adds in registers; returns the operations they are */
    /* Elementary functions over arrays, for the tests that compare them with the truth. */
    hill__map_loop exp, log, erf, sin, cos;
    void (*pow)(float *out, const float *x, const float *y, size_t n);
} hill__kernels;

/* Rows of the table that run on this machine, best first; i past the end gives NULL. */
const hill__kernels *hill__kernels_at(size_t i);

/* The row called `name` ("best" or NULL: the first), or NULL if it isn't one or can't run here. */
const hill__kernels *hill__kernels_find(const char *name);

extern const hill__kernels hill__kernels_scalar;
#if defined(__x86_64__) || defined(__i386__)
extern const hill__kernels hill__kernels_avx2;
extern const hill__kernels hill__kernels_avx512;

/* The avx2 row's, which the avx512 row has as well. */
bool hill__single_walk_avx2(const hill__single *layers, size_t count, hill__cost_kind kind, const hill__cost *cost);
#elif defined(__aarch64__)
extern const hill__kernels hill__kernels_neon;
#endif

#endif
