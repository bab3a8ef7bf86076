// A stand-in for libcublasLt that computes on this CPU. For tests only.
//
//   ACCELBENCH_FAKE_ALGORITHMS        what it offers (see fake.h); none: it says that the problem is not supported
//   ACCELBENCH_FAKE_CUBLASLT_VERSION  as cublasLtGetVersion gives it
//
// It refuses what the real one would refuse or misread, and says why in the driver's log.
#include "fake.h"
#include "half.h"
#include <cstdint>
#include <cstring>

namespace {

enum : int { SUCCESS = 0, INVALID_VALUE = 7, EXECUTION_FAILED = 13, INTERNAL_ERROR = 14, NOT_SUPPORTED = 15 };
enum : int { R_32F = 0, R_64F = 1, R_16F = 2, R_8I = 3, R_32I = 10, R_16BF = 14, R_8F = 28 };
enum : int { COMPUTE_16F = 64, COMPUTE_32F = 68, COMPUTE_64F = 70, COMPUTE_32I = 72, COMPUTE_TF32 = 77 };
// Sums that work-groups share are added up in the output's type, or in that of the sums.
enum : unsigned { IN_PLACE = 1, COMPUTE_TYPE = 2, OUTPUT_TYPE = 4 };

struct Handle {};

struct Description {
    int compute, scale;
    int transposed[2] = {0, 0};
    // Whether sums are the matrix units' own.
    bool fast = false;
};

struct Layout {
    int type;
    std::uint64_t rows, columns;
    std::int64_t step;

    std::size_t bytes() const {
        std::size_t element = type == R_64F ? 8 : type == R_32F || type == R_32I ? 4
                              : type == R_8I || type == R_8F                         ? 1
                                                                                     : 2;
        return ((columns - 1) * step + rows) * element;
    }
};

struct Preference {
    std::size_t workspace = 0;
    unsigned reduction = IN_PLACE | COMPUTE_TYPE | OUTPUT_TYPE;
};

struct Algorithm {
    int id;
    int fails;
    // Whether it adds up in the output's type.
    int narrow;
    double milliseconds;
    std::size_t workspace;
    char unused[32];
};

struct Result {
    Algorithm algorithm;
    std::size_t workspace;
    int state;
    float waves;
    int reserved[4];
};

static_assert(sizeof(Algorithm) == 64 && sizeof(Result) == 96, "as the real ones");

int refuse(const std::string& reason) {
    fake_log("cublasLt refuses: " + reason);
    return INVALID_VALUE;
}

template <typename T>
int make(T** place, T* made) {
    *place = made;
    fake_count(1);
    return SUCCESS;
}

template <typename T>
int destroy(T* made) {
    fake_count(-1);
    delete made;
    return SUCCESS;
}

double element(int type, const void* start, std::size_t index) {
    switch (type) {
        case R_64F: return ((const double*)start)[index];
        case R_32F: return ((const float*)start)[index];
        case R_32I: return ((const std::int32_t*)start)[index];
        case R_8I: return ((const signed char*)start)[index];
        case R_8F: return f8_to_f32(((const signed char*)start)[index]);
        case R_16BF: return bf16_to_f32(((const unsigned short*)start)[index]);
        default: return f16_to_f32(((const f16*)start)[index]);
    }
}

// The matrix that a product takes, column by column: `rows` by `columns` after it was transposed.
std::vector<double> operand(const Layout& layout, bool transposed, const void* start) {
    std::uint64_t rows = transposed ? layout.columns : layout.rows, columns = transposed ? layout.rows : layout.columns;
    std::vector<double> values(rows * columns);
    for (std::uint64_t j = 0; j < columns; ++j) {
        for (std::uint64_t i = 0; i < rows; ++i) {
            values[i + j * rows] = element(layout.type, start, transposed ? j + i * layout.step : i + j * layout.step);
        }
    }
    return values;
}

struct Product {
    Description description;
    Layout a, b, c;
    const void *first, *second;
    void* output;
    bool narrow;

    static float tf32(double x) { return tf32_to_f32(f32_to_tf32_bits((float)x)); }

    double sum(const double* row, std::size_t row_step, const double* column, std::uint64_t depth) const {
        // Whole numbers are exact in this, too.
        bool exact = description.compute == COMPUTE_64F || description.compute == COMPUTE_32I;
        double wide = 0;
        float single = 0;
        f16 half = 0;
        for (std::uint64_t p = 0; p < depth; ++p) {
            double x = row[p * row_step], y = column[p];
            if (exact) wide += x * y;
            else if (description.compute == COMPUTE_16F) half = f16_fma(f64_to_f16(x), f64_to_f16(y), half);
            else if (description.compute == COMPUTE_TF32) single += tf32(x) * tf32(y);
            else single += (float)x * (float)y;
            if (narrow) single = c.type == R_16BF ? bf16_to_f32(f32_to_bf16(single)) : f16_to_f32(f32_to_f16(single));
        }
        return exact ? wide : description.compute == COMPUTE_16F ? f16_to_f32(half) : single;
    }

    void run() const {
        std::vector<double> x = operand(a, description.transposed[0], first);
        std::vector<double> y = operand(b, description.transposed[1], second);
        std::uint64_t depth = x.size() / c.rows;
        for (std::uint64_t j = 0; j < c.columns; ++j) {
            for (std::uint64_t i = 0; i < c.rows; ++i) {
                double value = sum(&x[i], c.rows, &y[j * depth], depth);
                std::size_t place = i + j * c.step;
                if (c.type == R_64F) ((double*)output)[place] = value;
                else if (c.type == R_32F) ((float*)output)[place] = (float)value;
                else if (c.type == R_32I) ((std::int32_t*)output)[place] = (std::int32_t)value;
                else if (c.type == R_16BF) ((unsigned short*)output)[place] = f32_to_bf16((float)value);
                else ((f16*)output)[place] = f64_to_f16(value);
            }
        }
    }
};

int check(const Description& description, const Layout& a, const Layout& b, const Layout& c, const Layout& d) {
    for (const Layout* layout : {&a, &b, &c, &d}) {
        int type = a.type;
        if (layout == &c || layout == &d) type = a.type == R_8I ? R_32I : a.type == R_8F ? R_16BF : a.type;
        if (layout->type != type) return refuse("types differ");
        if (!layout->rows || !layout->columns) return refuse("a matrix without elements");
        if (layout->step < (std::int64_t)layout->rows) return refuse("columns overlap");
    }
    if (c.rows != d.rows || c.columns != d.columns || c.step != d.step) return refuse("C and D differ");
    bool ta = description.transposed[0], tb = description.transposed[1];
    std::uint64_t m = ta ? a.columns : a.rows, depth = ta ? a.rows : a.columns;
    std::uint64_t k = tb ? b.columns : b.rows, n = tb ? b.rows : b.columns;
    if (m != d.rows || n != d.columns || depth != k) return refuse("the sides do not match");
    int compute = description.compute, scale = description.scale;
    bool known = (compute == COMPUTE_64F && scale == R_64F && a.type == R_64F) ||
                 (compute == COMPUTE_32F && scale == R_32F &&
                  (a.type == R_32F || a.type == R_16F || a.type == R_16BF)) ||
                 (compute == COMPUTE_TF32 && scale == R_32F && a.type == R_32F) ||
                 // Whole numbers in one layout, and columns that start at multiples of four.
                 (compute == COMPUTE_32I && scale == R_32I && a.type == R_8I && ta && !tb && a.step % 4 == 0 &&
                  b.step % 4 == 0) ||
                 // Those of 8 bits with a point, too, at multiples of sixteen bytes.
                 (compute == COMPUTE_32F && scale == R_32F && a.type == R_8F && ta && !tb && a.step % 16 == 0 &&
                  b.step % 16 == 0 && d.step % 8 == 0) ||
                 (compute == COMPUTE_16F && scale == R_16F && a.type == R_16F);
    if (known) return SUCCESS;
    fake_log("cublasLt knows no such types");
    return NOT_SUPPORTED;
}

// Whether a number of the factors' type is this.
bool is(double number, int scale, const void* factor) { return element(scale, factor, 0) == number; }

} // namespace

extern "C" {

std::size_t cublasLtGetVersion() { return fake_version("ACCELBENCH_FAKE_CUBLASLT_VERSION", "130002"); }

int cublasLtCreate(Handle** handle) {
    if (int code = fake_begin("cublasLtCreate", EXECUTION_FAILED)) return code;
    return make(handle, new Handle);
}
int cublasLtDestroy(Handle* handle) { return destroy(handle); }

int cublasLtMatmulDescCreate(Description** description, int compute, int scale) {
    return make(description, new Description{compute, scale});
}
int cublasLtMatmulDescDestroy(Description* description) { return destroy(description); }
int cublasLtMatmulDescSetAttribute(Description* description, int attribute, const void* value, std::size_t bytes) {
    if (attribute == 25 && bytes == 1) {
        description->fast = *(const signed char*)value;
        return SUCCESS;
    }
    if ((attribute != 3 && attribute != 4) || bytes != 4) return refuse("an attribute of the product");
    int operation;
    std::memcpy(&operation, value, 4);
    if (operation != 0 && operation != 1) return refuse("no such operation on a matrix");
    description->transposed[attribute - 3] = operation;
    return SUCCESS;
}

int cublasLtMatrixLayoutCreate(Layout** layout, int type, std::uint64_t rows, std::uint64_t columns, std::int64_t step) {
    return make(layout, new Layout{type, rows, columns, step});
}
int cublasLtMatrixLayoutDestroy(Layout* layout) { return destroy(layout); }

int cublasLtMatmulPreferenceCreate(Preference** preference) { return make(preference, new Preference); }
int cublasLtMatmulPreferenceDestroy(Preference* preference) { return destroy(preference); }
int cublasLtMatmulPreferenceSetAttribute(Preference* preference, int attribute, const void* value, std::size_t bytes) {
    if (attribute == 1 && bytes == sizeof preference->workspace) {
        std::memcpy(&preference->workspace, value, bytes);
    } else if (attribute == 3 && bytes == sizeof preference->reduction) {
        std::memcpy(&preference->reduction, value, bytes);
    } else {
        return refuse("an attribute of the preference");
    }
    return SUCCESS;
}

int cublasLtMatmulAlgoGetHeuristic(Handle*, Description* description, Layout* a, Layout* b, Layout* c, Layout* d,
                                   Preference* preference, int asked, Result* results, int* count) {
    if (int code = fake_begin("cublasLtMatmulAlgoGetHeuristic", EXECUTION_FAILED)) return code;
    fake_log("cublasLt asked for " + std::to_string(asked) + " algorithms, workspace " +
             std::to_string(preference->workspace) + ", compute " + std::to_string(description->compute) +
             (description->fast ? ", fast sums" : ""));
    if (int code = check(*description, *a, *b, *c, *d)) return code;
    std::vector<Offer> offers = fake_offers("ACCELBENCH_FAKE_ALGORITHMS", "7=3,11=1,13=2");
    if (offers.empty()) return NOT_SUPPORTED;
    *count = 0;
    for (const Offer& offer : offers) {
        if (*count == asked) break;
        // As many bytes as its number, in KiB, so that each needs another workspace.
        std::size_t workspace = offer.id * 1024;
        bool narrow = (preference->reduction & ~COMPUTE_TYPE) && (d->type == R_16F || d->type == R_16BF) &&
                      description->compute == COMPUTE_32F;
        Algorithm algorithm{offer.id, offer.fails, narrow, offer.milliseconds, workspace, {}};
        results[(*count)++] = {algorithm, workspace, offer.refused ? NOT_SUPPORTED : SUCCESS, 1, {}};
    }
    return SUCCESS;
}

int cublasLtMatmulAlgoConfigGetAttribute(const Algorithm* algorithm, int attribute, void* value, std::size_t bytes,
                                         std::size_t* written) {
    // All of 32 bits, but for the shapes of instruction and cluster.
    if (bytes != (attribute >= 7 ? 2 : 4)) return refuse("the size of an algorithm's attribute");
    int number = attribute == 0 ? algorithm->id : attribute;
    std::memcpy(value, &number, bytes);
    *written = bytes;
    return SUCCESS;
}

int cublasLtMatmul(Handle*, Description* description, const void* alpha, const void* first, Layout* a,
                   const void* second, Layout* b, const void* beta, const void* c, Layout* c_layout, void* d,
                   Layout* d_layout, const Algorithm* algorithm, void* workspace, std::size_t workspace_bytes,
                   void* stream) {
    if (int code = fake_begin("cublasLtMatmul", EXECUTION_FAILED)) return code;
    fake_log("cublasLt runs algorithm " + std::to_string(algorithm->id));
    if (algorithm->fails) return INTERNAL_ERROR;
    if (int code = check(*description, *a, *b, *c_layout, *d_layout)) return code;
    if (!is(1, description->scale, alpha) || !is(0, description->scale, beta)) return refuse("the factors");
    if (c != d) return refuse("C is not D");
    if (workspace_bytes < algorithm->workspace) return refuse("the workspace is too small");
    if (!fake_inside(workspace, workspace_bytes)) return refuse("the workspace is not the device's");
    if (!fake_inside(first, a->bytes()) || !fake_inside(second, b->bytes()) || !fake_inside(d, d_layout->bytes())) {
        return refuse("a matrix leaves its buffer");
    }
    Product product{*description, *a, *b, *d_layout, first, second, d, (bool)algorithm->narrow};
    bool enqueued = fake_enqueue(stream, [=] {
        // What a workspace holds is lost.
        std::memset(workspace, 0xff, workspace_bytes);
        product.run();
    }, algorithm->milliseconds);
    return enqueued ? SUCCESS : refuse("the stream is another context's");
}
}
