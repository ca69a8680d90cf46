/* python-zstandard's C part as a top-level module that is built in: CPython 3.11 finds no built-in module inside a
 * package. Its own names stay out of the way of any other zstd. */
#define ZSTD_SINGLE_FILE 1
#define ZSTDLIB_VISIBLE
#define ZDICTLIB_VISIBLE
#define ZSTDERRORLIB_VISIBLE
#define ZDICT_QSORT ZDICT_QSORT_C90
#define PyInit_backend_c PyInit__zstandard_c
#include "c-ext/backend_c.c"
