// Half precision in software.
#pragma once
#include <cmath>

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
