/* Stands for a BLAS library: three loops behind CBLAS, and what OpenBLAS or MKL tell of themselves. The options make
 * builds of it that are common, and broken ones. */
#include <stddef.h>
#include <string.h>

#ifndef INT
#define INT int
#endif
#ifndef SUFFIX
#define SUFFIX
#endif
#ifndef CONFIG
#define CONFIG "OpenBLAS 9.8.7 stand-in"
#endif
#ifndef THREADS
#define THREADS threads
#endif

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define NAME(name) JOIN(name, SUFFIX)

#define GEMM(name, real)                                                                                               \
    void name(int order, int at, int bt, INT m, INT n, INT k, real alpha, const real *a, INT lda, const real *b,       \
              INT ldb, real beta, real *c, INT ldc)                                                                    \
    {                                                                                                                  \
        (void)order, (void)beta;                                                                                       \
        for (INT i = 0; i < m; i++)                                                                                    \
            for (INT j = 0; j < n; j++) {                                                                              \
                real sum = 0;                                                                                          \
                for (INT l = 0; l < k; l++)                                                                            \
                    sum += a[at == 111 ? i * lda + l : l * lda + i] * b[bt == 111 ? l * ldb + j : j * ldb + l];        \
                c[i * ldc + j] = alpha * sum WRONG;                                                                    \
            }                                                                                                          \
    }

#ifndef WRONG
#define WRONG
#endif

GEMM(NAME(cblas_sgemm), float)
#ifndef NO_DGEMM
GEMM(NAME(cblas_dgemm), double)
#endif

#if defined(MKL) || !defined(NO_CONFIG)
static int threads = 1;
#endif

#ifdef MKL
int MKL_Set_Interface_Layer(int layer)
{
    return MKL < 0 ? layer : MKL;
}

int MKL_Set_Threading_Layer(int layer)
{
    return layer;
}

void MKL_Get_Version_String(char *words, int size)
{
    strncpy(words, "Stand-in for MKL", (size_t)size);
}

void MKL_Set_Num_Threads(int count)
{
    threads = count;
}

int MKL_Get_Max_Threads(void)
{
    return THREADS;
}
#elif !defined(NO_CONFIG)
const char *NAME(openblas_get_config)(void)
{
    return CONFIG;
}

void NAME(openblas_set_num_threads)(int count)
{
    threads = count;
}

int NAME(openblas_get_num_threads)(void)
{
    return THREADS;
}
#endif
