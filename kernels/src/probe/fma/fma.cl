// Chains of fused multiply-adds in registers: x = a * x + b. A work-item advances CHAINS vectors of WIDTH lanes in turn.
//
// A body is 31 steps with b and one with c; see mod.rs for why that proves what was done.
//
// Definitions: WIDTH (1, 2, 4, 8 or 16), CHAINS (1 to 16), and one of PRECISION_F64 PRECISION_F32 PRECISION_F16_ACC16.

#if defined(PRECISION_F64)
#define REAL double
#elif defined(PRECISION_F32)
#define REAL float
#elif defined(PRECISION_F16_ACC16)
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
#define REAL half
#else
#error "define one of PRECISION_F64, PRECISION_F32 and PRECISION_F16_ACC16"
#endif

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#if WIDTH == 1
typedef REAL vector_t;
#define VECTOR_FROM(from) (*(from))
#define VECTOR_TO(value, to) (*(to) = (value))
#else
typedef JOIN(REAL, WIDTH) vector_t;
#define VECTOR_FROM(from) JOIN(vload, WIDTH)(0, from)
#define VECTOR_TO(value, to) JOIN(vstore, WIDTH)(value, 0, to)
#endif

typedef struct {
    uint bodies, items;
    float a, b, c;
    uint zero[3];
} params_t;

// Repetition by name: a compiler keeps named vectors in registers, an array of them it may not.
#define EACH_2(DO) DO(0) DO(1)
#define EACH_4(DO) EACH_2(DO) DO(2) DO(3)
#define EACH_6(DO) EACH_4(DO) DO(4) DO(5)
#define EACH_8(DO) EACH_6(DO) DO(6) DO(7)
#define EACH_12(DO) EACH_8(DO) DO(8) DO(9) DO(10) DO(11)
#define EACH_16(DO) EACH_12(DO) DO(12) DO(13) DO(14) DO(15)
#define EACH JOIN(EACH_, CHAINS)

#define START(i) vector_t x##i = rint(VECTOR_FROM(x + (i * (ulong)size.items + item) * WIDTH) * (REAL)64) / (REAL)64;
#define STEP_B(i) x##i = fma(x##i, a, b);
#define STEP_C(i) x##i = fma(x##i, a, c);
#define END(i) VECTOR_TO(x##i, y + (i * (ulong)size.items + item) * WIDTH);

#define STEPS_1 EACH(STEP_B)
#define STEPS_5 STEPS_1 STEPS_1 STEPS_1 STEPS_1 STEPS_1
#define STEPS_31 STEPS_5 STEPS_5 STEPS_5 STEPS_5 STEPS_5 STEPS_5 STEPS_1

kernel void fma_chains(global const REAL *restrict x, global REAL *restrict y, params_t size)
{
    const ulong item = (get_group_id(0) + (ulong)get_group_id(1) * get_num_groups(0)) * get_local_size(0) + get_local_id(0);
    if (item >= size.items)
        return;
    const vector_t a = (REAL)size.a, b = (REAL)size.b, c = (REAL)size.c;
    EACH(START)
    for (uint body = 0; body < size.bodies; ++body) {
        STEPS_31
        EACH(STEP_C)
    }
    EACH(END)
}
