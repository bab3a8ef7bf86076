// A graph of operations as the stand-in for cuDNN runs it.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <vector>

// The library's numbers for types.
enum : int { F32 = 0, F64 = 1, F16 = 2, I32 = 4, BF16 = 9, BOOL = 11 };

struct Tensor {
    int type = F32;
    std::array<std::int64_t, 4> sizes{}, steps{};
    std::int64_t id = 0;
    bool is_virtual = false, by_value = false;

    std::size_t bytes() const;
};

struct Operation {
    enum { CONVOLUTION, MATMUL, POINTWISE, REDUCTION } kind;
    std::vector<Tensor> operands;
    Tensor output;
    // The type that it computes in, and the library's number for what it does.
    int compute = F32, mode = 0;
    std::int64_t axis = 0;
    std::int64_t stride[2] = {}, dilation[2] = {}, pad_before[2] = {}, pad_after[2] = {};
};

// Where a tensor lies, or what it is.
struct Binding {
    void* address;
    double number;
};

// Runs the operations in order. With note 1, a convolution's inputs lose bits before it, with note 2 its sums do.
void run_graph(const std::vector<Operation>& operations, const std::map<std::int64_t, Binding>& bound, int note);
