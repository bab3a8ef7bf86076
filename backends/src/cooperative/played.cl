// The instructions of cooperative.cl played by functions of the extension cl_intel_subgroups, which a CPU may have, too. For
// tests: it goes before that text.

#define OF_SUB_GROUPS __attribute__((intel_reqd_sub_group_size(SUBGROUP)))
// Once, or kernels that call them hundreds of times would take minutes to compile.
#define PLAYED static __attribute__((noinline))

static float number(ushort bits) { return vload_half(0, (const half *)&bits); }

// A lane's word.
static uint word_of(uint word, uint lane) { return as_uint(intel_sub_group_shuffle(as_int(word), lane)); }

#if MATRIX_M == 8

#if SUBGROUP == 8
typedef int8 played_rows_t;
#else
typedef short8 played_rows_t;
#endif

PLAYED float8 played_dpas(played_rows_t a, int8 b, float8 c)
{
    ushort column[16];
    vstore16(as_ushort16(b), 0, column);
    const int8 words = convert_int8(a);
    int rows[8];
    vstore8(words, 0, rows);
    float sums[8];
    vstore8(c, 0, sums);
#pragma unroll 1
    for (uint row = 0; row < 8; ++row) {
#pragma unroll 1
        for (uint l = 0; l < 16; ++l) {
            const uint word = word_of(as_uint(rows[row]), SUBGROUP == 8 ? l / 2 : l);
            sums[row] += number((ushort)(SUBGROUP == 8 ? word >> l % 2 * 16 : word)) * number(column[l]);
        }
    }
    return vload8(0, sums);
}
#define intel_sub_group_f16_f16_matrix_mad_k16 played_dpas

#elif MATRIX_M == 16

PLAYED float8 played_wmma(uint8 a, ushort16 b, float8 c)
{
    const uint half_wave = get_sub_group_local_id() / 16;
    ushort column[16];
    vstore16(b, 0, column);
    uint row[8];
    vstore8(a, 0, row);
    float sums[8];
    vstore8(c, 0, sums);
#pragma unroll 1
    for (uint e = 0; e < 8; ++e) {
#pragma unroll 1
        for (uint l = 0; l < 16; ++l) {
            const uint word = word_of(row[l / 2], 2 * e + half_wave + 16 * half_wave);
            sums[e] += number((ushort)(word >> l % 2 * 16)) * number(column[l]);
        }
    }
    return vload8(0, sums);
}
#define __builtin_amdgcn_wmma_f32_16x16x16_f16_w32(a, b, c) played_wmma(as_uint8(a), as_ushort16(b), c)

#else

PLAYED float16 played_mfma(uint2 a, uint2 b, float16 c)
{
    const uint lane = get_sub_group_local_id();
    float sums[16];
    vstore16(c, 0, sums);
#pragma unroll 1
    for (uint e = 0; e < 16; ++e) {
        const uint row = e / 4 * 8 + lane / 32 * 4 + e % 4;
#pragma unroll 1
        for (uint l = 0; l < 8; ++l) {
            const uint holder = l / 4 * 32, place = l % 2 * 16;
            const uint word_a = word_of(l % 4 < 2 ? a.x : a.y, row + holder);
            const uint word_b = word_of(l % 4 < 2 ? b.x : b.y, lane % 32 + holder);
            sums[e] += number((ushort)(word_a >> place)) * number((ushort)(word_b >> place));
        }
    }
    return vload16(0, sums);
}
#define __builtin_amdgcn_mfma_f32_32x32x8f16(a, b, c, x, y, z) played_mfma(as_uint2(a), as_uint2(b), c)

#endif
