// The types of a kernel, by one definition of PRECISION_F64, PRECISION_F32, PRECISION_F16 or PRECISION_BF16 (stored as
// halves, summed in f32), PRECISION_F16_ACC16: `stored` in tensors, `real` in sums.

#if defined(PRECISION_F64)
typedef double stored;
typedef double real;
__device__ __forceinline__ real widen(stored x) { return x; }
__device__ __forceinline__ stored narrow(real x) { return x; }
__device__ __forceinline__ real multiply_add(real a, real b, real c) { return a * b + c; }
__device__ __forceinline__ real power_of_2(real x) { return exp2(x); }
__device__ __forceinline__ real square_root(real x) { return sqrt(x); }
#elif defined(PRECISION_F32)
typedef float stored;
typedef float real;
__device__ __forceinline__ real widen(stored x) { return x; }
__device__ __forceinline__ stored narrow(real x) { return x; }
__device__ __forceinline__ real multiply_add(real a, real b, real c) { return a * b + c; }
__device__ __forceinline__ real power_of_2(real x) { return exp2_approximate(x); }
__device__ __forceinline__ real square_root(real x) { return sqrtf(x); }
#elif defined(PRECISION_F16) || defined(PRECISION_BF16)
typedef Half stored;
typedef float real;
__device__ __forceinline__ real widen(stored x) { return half_to_f32(x); }
__device__ __forceinline__ stored narrow(real x) { return f32_to_half(x); }
__device__ __forceinline__ real multiply_add(real a, real b, real c) { return a * b + c; }
__device__ __forceinline__ real power_of_2(real x) { return exp2_approximate(x); }
__device__ __forceinline__ real square_root(real x) { return sqrtf(x); }
#elif defined(PRECISION_F16_ACC16)
typedef Half stored;
typedef Half real;
__device__ __forceinline__ real widen(stored x) { return x; }
__device__ __forceinline__ stored narrow(real x) { return x; }
__device__ __forceinline__ real multiply_add(real a, real b, real c) { return f16_fma(a, b, c); }
#endif
