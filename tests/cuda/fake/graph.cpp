// Runs a graph on the CPU: every operation over every element, by sizes and steps alone.
#include "graph.h"
#include "half.h"
#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>

namespace {

using Index = std::array<std::int64_t, 4>;

std::size_t element_bytes(int type) { return type == F64 ? 8 : type == F16 || type == BF16 ? 2 : type == BOOL ? 1 : 4; }

double rounded(int type, double x) {
    switch (type) {
        case F64: return x;
        case F16: return f16_to_f32(f64_to_f16(x));
        case BF16: return bf16_to_f32(f32_to_bf16((float)x));
        case I32: return (double)(std::int32_t)x;
        case BOOL: return x != 0;
        default: return (float)x;
    }
}

// All elements of a tensor, the last dimension innermost.
struct Values {
    Index sizes;
    std::vector<double> elements;

    explicit Values(const Index& sizes) : sizes(sizes), elements(sizes[0] * sizes[1] * sizes[2] * sizes[3]) {}

    double& at(const Index& i) { return elements[((i[0] * sizes[1] + i[1]) * sizes[2] + i[2]) * sizes[3] + i[3]]; }
    double at(const Index& i) const { return const_cast<Values*>(this)->at(i); }

    // An element of a tensor that is spread over a larger one.
    double spread(Index i) const {
        for (int axis = 0; axis < 4; ++axis) i[axis] = sizes[axis] == 1 ? 0 : i[axis];
        return at(i);
    }
};

void for_all(const Index& sizes, const std::function<void(const Index&)>& f) {
    Index i;
    for (i[0] = 0; i[0] < sizes[0]; ++i[0])
        for (i[1] = 0; i[1] < sizes[1]; ++i[1])
            for (i[2] = 0; i[2] < sizes[2]; ++i[2])
                for (i[3] = 0; i[3] < sizes[3]; ++i[3]) f(i);
}

std::int64_t place(const Tensor& tensor, const Index& i) {
    std::int64_t sum = 0;
    for (int axis = 0; axis < 4; ++axis) sum += i[axis] * tensor.steps[axis];
    return sum;
}

Values load(const Tensor& tensor, const void* start) {
    Values values(tensor.sizes);
    for_all(tensor.sizes, [&](const Index& i) {
        std::int64_t at = place(tensor, i);
        values.at(i) = tensor.type == F64   ? ((const double*)start)[at]
                       : tensor.type == F16 ? f16_to_f32(((const f16*)start)[at])
                       : tensor.type == BF16 ? bf16_to_f32(((const unsigned short*)start)[at])
                                            : ((const float*)start)[at];
    });
    return values;
}

void store(const Tensor& tensor, const Values& values, void* start) {
    for_all(tensor.sizes, [&](const Index& i) {
        std::int64_t at = place(tensor, i);
        double x = values.at(i);
        if (tensor.type == F64) ((double*)start)[at] = x;
        else if (tensor.type == F16) ((f16*)start)[at] = f64_to_f16(x);
        else if (tensor.type == BF16) ((unsigned short*)start)[at] = f32_to_bf16((float)x);
        else ((float*)start)[at] = (float)x;
    });
}

// A number with the ten bits of fraction that fast units keep.
double down_converted(double x) {
    int exponent;
    double fraction = std::frexp(x, &exponent);
    return std::ldexp(std::nearbyint(std::ldexp(fraction, 11)), exponent - 11);
}

Values convolve(const Operation& operation, const Values& x, const Values& w, int note) {
    Values y(operation.output.sizes);
    std::int64_t groups = x.sizes[1] / w.sizes[1], filters = w.sizes[0] / groups;
    auto input = [&](double value) { return note == 1 ? down_converted(value) : value; };
    for_all(y.sizes, [&](const Index& i) {
        double sum = 0;
        for (std::int64_t c = 0; c < w.sizes[1]; ++c)
            for (std::int64_t r = 0; r < w.sizes[2]; ++r)
                for (std::int64_t s = 0; s < w.sizes[3]; ++s) {
                    std::int64_t h = i[2] * operation.stride[0] - operation.pad_before[0] + r * operation.dilation[0];
                    std::int64_t v = i[3] * operation.stride[1] - operation.pad_before[1] + s * operation.dilation[1];
                    if (h < 0 || h >= x.sizes[2] || v < 0 || v >= x.sizes[3]) continue;
                    double product = input(x.at({i[0], i[1] / filters * w.sizes[1] + c, h, v})) * input(w.at({i[1], c, r, s}));
                    sum = rounded(note == 2 ? (int)F16 : operation.compute, sum + product);
                }
        y.at(i) = sum;
    });
    return y;
}

Values multiply(const Operation& operation, const Values& a, const Values& b) {
    Values c(operation.output.sizes);
    // Heads of the right side may be shared by several of the left.
    std::int64_t shared = a.sizes[1] / b.sizes[1];
    for_all(c.sizes, [&](const Index& i) {
        double sum = 0;
        for (std::int64_t p = 0; p < a.sizes[3]; ++p) {
            sum += a.at({i[0], i[1], i[2], p}) * b.at({i[0], i[1] / shared, p, i[3]});
        }
        c.at(i) = rounded(operation.compute, sum);
    });
    return c;
}

Values reduce(const Operation& operation, const Values& x) {
    bool largest = operation.mode == 3;
    if (!largest && operation.mode != 0) std::abort();
    Values y(operation.output.sizes);
    for (double& element : y.elements) element = largest ? -std::numeric_limits<double>::infinity() : 0;
    for_all(x.sizes, [&](Index i) {
        double value = x.at(i);
        for (int axis = 0; axis < 4; ++axis) i[axis] = y.sizes[axis] == 1 ? 0 : i[axis];
        double& element = y.at(i);
        element = largest ? std::fmax(element, value) : element + value;
    });
    return y;
}

Values point(const Operation& operation, const std::vector<Values>& operands) {
    Values y(operation.output.sizes);
    for_all(y.sizes, [&](const Index& i) {
        double x = operands[0].spread(i), b = operands.size() > 1 ? operands[1].spread(i) : 0;
        double value;
        switch (operation.mode) {
            case 0: value = x + b; break;
            case 1: value = x * b; break;
            case 6: value = x / b; break;
            case 9: value = x - b; break;
            case 13: value = std::exp(x); break;
            case 15: value = std::log(x); break;
            case 303: value = x >= b; break;
            case 501: value = i[operation.axis]; break;
            case 601: value = operands.at(2).spread(i) != 0 ? x : b; break;
            default: std::abort();
        }
        y.at(i) = rounded(operation.compute, value);
    });
    return y;
}

} // namespace

std::size_t Tensor::bytes() const {
    std::int64_t last = 0;
    for (int axis = 0; axis < 4; ++axis) last += (sizes[axis] - 1) * steps[axis];
    return (last + 1) * element_bytes(type);
}

void run_graph(const std::vector<Operation>& operations, const std::map<std::int64_t, Binding>& bound, int note) {
    std::map<std::int64_t, Values> between;
    for (const Operation& operation : operations) {
        std::vector<Values> operands;
        for (const Tensor& tensor : operation.operands) {
            if (tensor.is_virtual) {
                operands.push_back(between.at(tensor.id));
            } else if (tensor.by_value) {
                operands.emplace_back(tensor.sizes).elements[0] = bound.at(tensor.id).number;
            } else {
                operands.push_back(load(tensor, bound.at(tensor.id).address));
            }
        }
        Values result = operation.kind == Operation::CONVOLUTION ? convolve(operation, operands[0], operands[1], note)
                        : operation.kind == Operation::MATMUL    ? multiply(operation, operands[0], operands[1])
                        : operation.kind == Operation::REDUCTION ? reduce(operation, operands[0])
                                                                 : point(operation, operands);
        const Tensor& output = operation.output;
        for (double& element : result.elements) element = rounded(output.type, element);
        if (output.is_virtual) between.insert_or_assign(output.id, std::move(result));
        else store(output, result, bound.at(output.id).address);
    }
}
