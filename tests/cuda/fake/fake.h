// What the parts of the fake driver share.
#pragma once
#include "emulator.h"

constexpr std::size_t SHARED_BYTES = 227 * 1024;
constexpr std::size_t CANARY_BYTES = 1024;

// Runs all blocks; false where a kernel breaks a rule that a GPU would hang or fault on.
bool run_kernel(const BoundKernel& kernel, Dim3 grid, Dim3 block, std::size_t shared_bytes);
