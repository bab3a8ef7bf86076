// The types of a kernel, by one definition of PRECISION_F64, PRECISION_F32, PRECISION_F16 (stored as halves, summed in
// f32), PRECISION_F16_ACC16: `stored_t` in tensors, `sum_t` in sums, and LOAD and STORE from the one to the other.

#if defined(PRECISION_F64)
typedef double stored_t;
typedef double sum_t;
#define SUM double
#define TRUTH long
#elif defined(PRECISION_F32)
typedef float stored_t;
typedef float sum_t;
#define SUM float
#define TRUTH int
#elif defined(PRECISION_F16)
typedef half stored_t;
typedef float sum_t;
#define SUM float
#define TRUTH int
#elif defined(PRECISION_F16_ACC16)
#ifdef cl_khr_fp16 // Some drivers compute in half without saying so.
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
#endif
typedef half stored_t;
typedef half sum_t;
#define SUM half
#define TRUTH short
#else
#error "define one of PRECISION_F64, PRECISION_F32, PRECISION_F16 and PRECISION_F16_ACC16"
#endif

#if defined(PRECISION_F16)
#define LOAD(from) vload_half(0, from)
#define STORE(value, to) vstore_half_rte(value, 0, to)
#else
#define LOAD(from) (*(from))
#define STORE(value, to) (*(to) = (value))
#endif

