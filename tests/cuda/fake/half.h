// Narrow numbers in software.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

typedef unsigned short f16;

inline float f16_to_f32(f16 x) {
    int exponent = x >> 10 & 31, mantissa = x & 1023;
    float magnitude = exponent == 31 ? (mantissa ? NAN : INFINITY)
                      : exponent     ? std::ldexp(1024.0f + mantissa, exponent - 25)
                                     : std::ldexp((float)mantissa, -24);
    return x >> 15 ? -magnitude : magnitude;
}

// Rounds to nearest, ties to even.
inline f16 f64_to_f16(double x) {
    f16 sign = std::signbit(x) ? 0x8000 : 0;
    double magnitude = std::fabs(x);
    if (std::isnan(x)) return 0x7fff;
    if (magnitude >= 65520.0) return sign | 0x7c00;
    // One unit in the last place is 2^-24 for subnormal halves and 2^(exponent - 11) for others.
    int exponent;
    std::frexp(magnitude, &exponent);
    int unit = magnitude < 0x1p-14 ? -24 : exponent - 11;
    int steps = (int)std::nearbyint(std::ldexp(magnitude, -unit));
    // Steps that reach 2048 carry into the exponent, which is the next half.
    return sign | (unit == -24 ? steps : (unit + 24) * 1024 + steps);
}

inline f16 f32_to_f16(float x) { return f64_to_f16(x); }

inline f16 f16_fma(f16 a, f16 b, f16 c) {
    return f64_to_f16((double)f16_to_f32(a) * f16_to_f32(b) + f16_to_f32(c));
}

// bfloat16, as its bits: the upper half of binary32.
inline float bf16_to_f32(unsigned short x) {
    std::uint32_t bits = (std::uint32_t)x << 16;
    float y;
    std::memcpy(&y, &bits, sizeof y);
    return y;
}

// Rounds to nearest, ties to even. A carry out of the mantissa is the next exponent, and out of the last one infinity.
inline unsigned short f32_to_bf16(float x) {
    std::uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    if (std::isnan(x)) return 0x7fff;
    return (unsigned short)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// E4M3, 8 bits: a significand of 4, no infinity, and one NaN of either sign.
inline float f8_to_f32(signed char x) {
    int exponent = x >> 3 & 15, mantissa = x & 7;
    float magnitude = exponent == 15 && mantissa == 7 ? NAN
                      : exponent                      ? std::ldexp(8.0f + mantissa, exponent - 10)
                                                      : std::ldexp((float)mantissa, -9);
    return x < 0 ? -magnitude : magnitude;
}

// Rounds to nearest, ties to even; what is too large becomes 448.
inline signed char f32_to_f8(float x) {
    if (std::isnan(x)) return 0x7f;
    int sign = std::signbit(x) ? 0x80 : 0, exponent;
    float magnitude = std::fmin(std::fabs(x), 448.0f);
    std::frexp(magnitude, &exponent);
    int unit = magnitude < 0x1p-6f ? -9 : exponent - 4;
    int steps = (int)std::nearbyint(std::ldexp(magnitude, -unit));
    return (signed char)(sign | (unit == -9 ? steps : (unit + 9) * 8 + steps));
}

// What Hopper's matrix units add up of numbers of 8 bits: of each product and of the sum so far, what lies more than 13 bits
// below the highest bit of the largest is dropped.
inline float f8_sum(float sum, const float* products, int count) {
    float largest = std::fabs(sum);
    for (int i = 0; i < count; ++i) largest = std::fmax(largest, std::fabs(products[i]));
    if (!(largest > 0)) return sum;
    double unit = std::ldexp(1.0, std::ilogb(largest) - 13), total = std::trunc(sum / unit);
    for (int i = 0; i < count; ++i) total += std::trunc(products[i] / unit);
    return (float)(total * unit);
}

// binary32 with a significand of 11 bits; rounds to nearest, ties away from zero.
inline std::uint32_t f32_to_tf32_bits(float x) {
    std::uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    if (std::isnan(x) || std::isinf(x)) return bits & 0xffffe000 | (std::isnan(x) ? 0x7fffe000 : 0);
    return (bits + 0x1000) & 0xffffe000;
}

inline float tf32_to_f32(std::uint32_t bits) {
    float y;
    std::memcpy(&y, &bits, sizeof y);
    return y;
}
