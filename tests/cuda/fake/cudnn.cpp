// A stand-in for libcudnn: the part of its graph API that this project uses, computed on this CPU. For tests only.
//
//   ACCELBENCH_FAKE_ENGINES        engines that it offers (see fake.h), with their numerical notes; none: no plan
//   ACCELBENCH_FAKE_CUDNN_VERSION  as cudnnGetVersion gives it
//
// Descriptors take the attributes of their kind, in their types, and nothing after they were finalised. Graphs are run
// operation by operation, by what their tensors' sizes and steps say.
#include "fake.h"
#include "graph.h"
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <set>

namespace {

enum : int {
    SUCCESS = 0,
    BAD_PARAM = 2000,
    NOT_FINALIZED = 2004,
    ATTRIBUTE_TYPE = 2010,
    NOT_SUPPORTED = 3000,
    NOT_SUPPORTED_SHAPE = 3002,
    NOT_SUPPORTED_DATA_TYPE = 3003,
    EXECUTION_FAILED = 5000,
};

enum Kind : int {
    POINTWISE = 0,
    CONVOLUTION = 1,
    ENGINE = 2,
    CONFIGURATION = 3,
    HEURISTIC = 4,
    PLAN = 5,
    KNOB = 7,
    OPERATION_CONVOLUTION = 10,
    OPERATION_POINTWISE = 13,
    GRAPH = 15,
    PACK = 16,
    TENSOR = 17,
    MATMUL = 18,
    OPERATION_MATMUL = 19,
    REDUCTION = 21,
    OPERATION_REDUCTION = 22,
};

enum Type : int {
    HANDLE = 0,
    DATA_TYPE = 1,
    BOOLEAN = 2,
    INT64 = 3,
    FLOAT = 4,
    DOUBLE = 5,
    POINTER = 6,
    CONVOLUTION_MODE = 7,
    HEURISTIC_MODE = 8,
    KNOB_TYPE = 9,
    NOTE = 11,
    POINTWISE_MODE = 14,
    DESCRIPTOR = 15,
    REDUCTION_OPERATOR = 18,
};

std::size_t size_of(int type) {
    switch (type) {
        case BOOLEAN: return 1;
        case DATA_TYPE: case FLOAT: case CONVOLUTION_MODE: case HEURISTIC_MODE: case NOTE: case POINTWISE_MODE:
        case REDUCTION_OPERATOR: return 4;
        default: return 8;
    }
}

// Each kind's attributes with their types. Those that may be missing are listed apart.
const std::map<int, std::map<int, int>> ATTRIBUTES = {
    {POINTWISE, {{0, POINTWISE_MODE}, {1, DATA_TYPE}, {9, INT64}}},
    {CONVOLUTION,
     {{100, DATA_TYPE}, {101, CONVOLUTION_MODE}, {102, INT64}, {103, INT64}, {104, INT64}, {105, INT64}, {106, INT64}}},
    {HEURISTIC, {{200, HEURISTIC_MODE}, {201, DESCRIPTOR}}},
    {PLAN, {{400, HANDLE}, {401, DESCRIPTOR}}},
    // The factors are doubles where the tensors are.
    {OPERATION_CONVOLUTION,
     {{700, FLOAT}, {701, FLOAT}, {702, DESCRIPTOR}, {703, DESCRIPTOR}, {704, DESCRIPTOR}, {705, DESCRIPTOR}}},
    {OPERATION_POINTWISE, {{750, DESCRIPTOR}, {751, DESCRIPTOR}, {752, DESCRIPTOR}, {753, DESCRIPTOR}, {758, DESCRIPTOR}}},
    {GRAPH, {{800, HANDLE}, {801, DESCRIPTOR}}},
    {TENSOR, {{900, INT64}, {901, DATA_TYPE}, {902, INT64}, {903, INT64}, {906, INT64}, {907, BOOLEAN}, {908, BOOLEAN}}},
    {PACK, {{1000, INT64}, {1001, POINTER}, {1003, POINTER}}},
    {MATMUL, {{1500, DATA_TYPE}}},
    {OPERATION_MATMUL, {{1520, DESCRIPTOR}, {1521, DESCRIPTOR}, {1522, DESCRIPTOR}, {1523, DESCRIPTOR}}},
    {REDUCTION, {{1600, REDUCTION_OPERATOR}, {1601, DATA_TYPE}}},
    {OPERATION_REDUCTION, {{1610, DESCRIPTOR}, {1611, DESCRIPTOR}, {1612, DESCRIPTOR}}},
};
const std::set<int> MAY_BE_MISSING = {9, 752, 758, 907, 908};

struct Attribute {
    int type;
    std::vector<unsigned char> bytes;
};

struct Descriptor {
    int kind;
    bool final = false;
    std::map<int, Attribute> attributes;
    // Of engines, configurations and knobs.
    Offer offer;

    template <typename T>
    std::vector<T> all(int name) const {
        auto found = attributes.find(name);
        if (found == attributes.end()) return {};
        std::vector<T> values(found->second.bytes.size() / sizeof(T));
        std::memcpy(values.data(), found->second.bytes.data(), values.size() * sizeof(T));
        return values;
    }

    template <typename T>
    T one(int name) const {
        std::vector<T> values = all<T>(name);
        return values.empty() ? T() : values[0];
    }
};

struct Handle {
    void* stream = nullptr;
};

std::set<Descriptor*> alive;
std::string message;

int refuse(int code, const std::string& reason) {
    message = reason;
    fake_log("cudnn refuses: " + reason);
    return code;
}

Tensor tensor_of(const Descriptor* descriptor) {
    Tensor tensor;
    tensor.type = descriptor->one<int>(901);
    tensor.id = descriptor->one<std::int64_t>(906);
    tensor.is_virtual = descriptor->one<unsigned char>(907);
    tensor.by_value = descriptor->one<unsigned char>(908);
    std::vector<std::int64_t> sizes = descriptor->all<std::int64_t>(902), steps = descriptor->all<std::int64_t>(903);
    std::copy_n(sizes.begin(), 4, tensor.sizes.begin());
    std::copy_n(steps.begin(), 4, tensor.steps.begin());
    return tensor;
}

Operation operation_of(const Descriptor* descriptor) {
    auto link = [&](int name) { return descriptor->one<Descriptor*>(name); };
    auto tensor = [&](int name) { return tensor_of(link(name)); };
    Operation operation;
    switch (descriptor->kind) {
        case OPERATION_CONVOLUTION: {
            const Descriptor* window = link(702);
            operation.kind = Operation::CONVOLUTION;
            operation.operands = {tensor(704), tensor(703)};
            operation.output = tensor(705);
            operation.compute = window->one<int>(100);
            operation.mode = window->one<int>(101);
            for (int axis = 0; axis < 2; ++axis) {
                operation.dilation[axis] = window->all<std::int64_t>(102)[axis];
                operation.stride[axis] = window->all<std::int64_t>(103)[axis];
                operation.pad_after[axis] = window->all<std::int64_t>(104)[axis];
                operation.pad_before[axis] = window->all<std::int64_t>(105)[axis];
            }
            break;
        }
        case OPERATION_MATMUL:
            operation.kind = Operation::MATMUL;
            operation.operands = {tensor(1520), tensor(1521)};
            operation.output = tensor(1522);
            operation.compute = link(1523)->one<int>(1500);
            break;
        case OPERATION_REDUCTION:
            operation.kind = Operation::REDUCTION;
            operation.operands = {tensor(1610)};
            operation.output = tensor(1611);
            operation.mode = link(1612)->one<int>(1600);
            operation.compute = link(1612)->one<int>(1601);
            break;
        default:
            operation.kind = Operation::POINTWISE;
            for (int name : {751, 752, 758}) {
                if (descriptor->attributes.count(name)) operation.operands.push_back(tensor(name));
            }
            operation.output = tensor(753);
            operation.mode = link(750)->one<int>(0);
            operation.compute = link(750)->one<int>(1);
            operation.axis = link(750)->one<std::int64_t>(9);
    }
    return operation;
}

std::vector<Operation> operations_of(const Descriptor* graph) {
    std::vector<Operation> operations;
    for (const Descriptor* operation : graph->all<Descriptor*>(801)) operations.push_back(operation_of(operation));
    return operations;
}

int check_tensor(const Descriptor* descriptor) {
    if (descriptor->all<std::int64_t>(902).size() != 4 || descriptor->all<std::int64_t>(903).size() != 4) {
        return refuse(BAD_PARAM, "a tensor of other than four dimensions");
    }
    Tensor tensor = tensor_of(descriptor);
    for (int i = 0; i < 4; ++i) {
        if (tensor.sizes[i] < 1 || tensor.steps[i] < 1) return refuse(BAD_PARAM, "a size or a step below 1");
    }
    if (tensor.is_virtual && tensor.by_value) return refuse(BAD_PARAM, "a number that is nowhere");
    std::int64_t alignment = descriptor->one<std::int64_t>(900);
    return alignment == 16 ? SUCCESS : refuse(BAD_PARAM, "an alignment that no fast engine takes");
}

int check_convolution(const Descriptor* descriptor) {
    const Operation operation = operation_of(descriptor);
    const Tensor &x = operation.operands[0], &w = operation.operands[1], &y = operation.output;
    if (x.type != w.type || x.type != y.type) return refuse(NOT_SUPPORTED_DATA_TYPE, "types differ");
    if (operation.mode != 1) return refuse(BAD_PARAM, "a convolution with a flipped filter");
    if (operation.compute != (x.type == F64 ? F64 : F32)) return refuse(NOT_SUPPORTED_DATA_TYPE, "the type of the sums");
    bool wide = x.type == F64;
    for (int name : {700, 701}) {
        double expected = name == 700, factor = wide ? descriptor->one<double>(name) : descriptor->one<float>(name);
        if (descriptor->attributes.at(name).type != (wide ? DOUBLE : FLOAT) || factor != expected) {
            return refuse(BAD_PARAM, "a factor");
        }
    }
    if (x.sizes[1] % w.sizes[1] || w.sizes[0] % (x.sizes[1] / w.sizes[1])) return refuse(BAD_PARAM, "the groups");
    bool fits = y.sizes[0] == x.sizes[0] && y.sizes[1] == w.sizes[0];
    for (int axis = 0; axis < 2; ++axis) {
        std::int64_t padded = x.sizes[2 + axis] + operation.pad_before[axis] + operation.pad_after[axis];
        std::int64_t free = padded - operation.dilation[axis] * (w.sizes[2 + axis] - 1) - 1;
        fits = fits && free >= 0 && y.sizes[2 + axis] == free / operation.stride[axis] + 1;
    }
    return fits ? SUCCESS : refuse(BAD_PARAM, "the sizes of the output");
}

bool is_half(int type) { return type == F16 || type == BF16; }

// What the real one fuses into attention: halves, in rows of whole 16 bytes.
int check_graph(const Descriptor* graph) {
    std::vector<Operation> operations = operations_of(graph);
    std::set<std::int64_t> known;
    for (const Operation& operation : operations) {
        if (operation.kind == Operation::CONVOLUTION && operations.size() > 1) {
            return refuse(NOT_SUPPORTED, "a convolution with something after it");
        }
        for (const Tensor& operand : operation.operands) {
            if (operand.is_virtual && !known.count(operand.id)) return refuse(BAD_PARAM, "a tensor that comes from nowhere");
        }
        known.insert(operation.output.id);
        if (operation.kind != Operation::MATMUL) continue;
        for (const Tensor* tensor : {&operation.operands[0], &operation.operands[1], &operation.output}) {
            if (!tensor->is_virtual && !is_half(tensor->type)) return refuse(NOT_SUPPORTED_DATA_TYPE, "attention is of halves");
        }
        const Tensor& left = operation.operands[0];
        if (!is_half(left.type)) return refuse(NOT_SUPPORTED_DATA_TYPE, "a product's left side is of halves");
        if (!left.is_virtual && left.sizes[3] % 8) return refuse(NOT_SUPPORTED_SHAPE, "rows of whole 16 bytes only");
    }
    return SUCCESS;
}

int finalize(Descriptor* descriptor) {
    auto attributes = ATTRIBUTES.find(descriptor->kind);
    if (attributes == ATTRIBUTES.end()) return refuse(BAD_PARAM, "nothing to finalise");
    for (auto [name, type] : attributes->second) {
        auto found = descriptor->attributes.find(name);
        if (found == descriptor->attributes.end()) {
            if (MAY_BE_MISSING.count(name)) continue;
            return refuse(BAD_PARAM, "attribute " + std::to_string(name) + " is missing");
        }
        if (type != DESCRIPTOR) continue;
        for (Descriptor* link : descriptor->all<Descriptor*>(name)) {
            if (!alive.count(link) || !link->final) return refuse(NOT_FINALIZED, "it refers to something unfinished");
        }
    }
    switch (descriptor->kind) {
        case TENSOR: return check_tensor(descriptor);
        case OPERATION_CONVOLUTION: return check_convolution(descriptor);
        case GRAPH: return check_graph(descriptor);
        case PLAN:
            if (descriptor->one<Descriptor*>(401)->offer.fails) return refuse(NOT_SUPPORTED, "an engine that is none");
            return SUCCESS;
        case PACK:
            if (descriptor->all<std::int64_t>(1000).size() == descriptor->all<void*>(1001).size()) return SUCCESS;
            return refuse(BAD_PARAM, "as many tensors as addresses");
        default: return SUCCESS;
    }
}

// As many bytes as the engine's number, in KiB.
std::size_t workspace_of(const Offer& offer) { return offer.id * 1024; }

template <typename T>
int give(const std::vector<T>& values, std::int64_t room, std::int64_t* count, void* place) {
    *count = values.size();
    if (!room) return SUCCESS;
    *count = std::min<std::int64_t>(room, values.size());
    std::memcpy(place, values.data(), *count * sizeof(T));
    return SUCCESS;
}

// What every tensor of a graph that is not virtual lies at; by value, the number itself.
int bind_tensors(const std::vector<Operation>& operations, const Descriptor* pack, std::map<std::int64_t, Binding>& bound) {
    std::vector<std::int64_t> ids = pack->all<std::int64_t>(1000);
    std::vector<void*> addresses = pack->all<void*>(1001);
    std::map<std::int64_t, void*> named;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (!named.emplace(ids[i], addresses[i]).second) return refuse(BAD_PARAM, "a tensor is named twice");
    }
    for (const Operation& operation : operations) {
        std::vector<Tensor> tensors = operation.operands;
        tensors.push_back(operation.output);
        for (const Tensor& tensor : tensors) {
            if (tensor.is_virtual) continue;
            auto found = named.find(tensor.id);
            if (found == named.end()) return refuse(BAD_PARAM, "a tensor has no address");
            Binding binding{found->second, 0};
            if (tensor.by_value) {
                binding.number = tensor.type == I32 ? *(const std::int32_t*)binding.address : *(const float*)binding.address;
            } else if (!fake_inside(binding.address, tensor.bytes())) {
                return refuse(BAD_PARAM, "a tensor leaves its buffer");
            }
            bound[tensor.id] = binding;
        }
    }
    return SUCCESS;
}

} // namespace

extern "C" {

std::size_t cudnnGetVersion() { return fake_version("ACCELBENCH_FAKE_CUDNN_VERSION", "91002"); }

const char* cudnnGetErrorString(int code) {
    if (code >= 3000 && code < 4000) return "CUDNN_STATUS_NOT_SUPPORTED";
    return code >= 2000 && code < 3000 ? "CUDNN_STATUS_BAD_PARAM" : "CUDNN_STATUS_SOMETHING_ELSE";
}

void cudnnGetLastErrorString(char* text, std::size_t room) { std::snprintf(text, room, "%s", message.c_str()); }

int cudnnCreate(Handle** handle) {
    if (int code = fake_begin("cudnnCreate", EXECUTION_FAILED)) return code;
    *handle = new Handle;
    fake_count(1);
    return SUCCESS;
}

int cudnnDestroy(Handle* handle) {
    fake_count(-1);
    delete handle;
    return SUCCESS;
}

int cudnnSetStream(Handle* handle, void* stream) {
    handle->stream = stream;
    return SUCCESS;
}

int cudnnBackendCreateDescriptor(int kind, Descriptor** descriptor) {
    *descriptor = new Descriptor{kind};
    alive.insert(*descriptor);
    fake_count(1);
    return SUCCESS;
}

int cudnnBackendDestroyDescriptor(Descriptor* descriptor) {
    if (!alive.erase(descriptor)) return refuse(BAD_PARAM, "destroyed twice");
    fake_count(-1);
    delete descriptor;
    return SUCCESS;
}

int cudnnBackendSetAttribute(Descriptor* descriptor, int name, int type, std::int64_t count, const void* values) {
    if (descriptor->final) return refuse(BAD_PARAM, "an attribute after the end");
    auto kind = ATTRIBUTES.find(descriptor->kind);
    if (kind == ATTRIBUTES.end() || !kind->second.count(name)) return refuse(BAD_PARAM, "it has no such attribute");
    bool factor = (name == 700 || name == 701) && type == DOUBLE;
    if (kind->second.at(name) != type && !factor) return refuse(ATTRIBUTE_TYPE, "the type of " + std::to_string(name));
    auto bytes = (const unsigned char*)values;
    descriptor->attributes[name] = {type, {bytes, bytes + count * size_of(type)}};
    return SUCCESS;
}

int cudnnBackendFinalize(Descriptor* descriptor) {
    int code = finalize(descriptor);
    descriptor->final = code == SUCCESS;
    return code;
}

int cudnnBackendGetAttribute(Descriptor* descriptor, int name, int type, std::int64_t room, std::int64_t* count,
                             void* place) {
    if (descriptor->kind != ENGINE && !descriptor->final) return refuse(NOT_FINALIZED, "it is not final");
    auto is = [&](int kind, int attribute, int attribute_type) {
        return descriptor->kind == kind && name == attribute && type == attribute_type;
    };
    if (is(HEURISTIC, 202, DESCRIPTOR)) {
        // The fallback's are the same.
        std::vector<Offer> offers = fake_offers("ACCELBENCH_FAKE_ENGINES", "1=2,2=1,3=fails,9=0.5+1,10=0.4+2");
        *count = offers.size();
        for (std::int64_t i = 0; i < std::min<std::int64_t>(room, offers.size()); ++i) {
            Descriptor* configuration = ((Descriptor**)place)[i];
            if (!alive.count(configuration) || configuration->kind != CONFIGURATION) {
                return refuse(BAD_PARAM, "no place for a configuration");
            }
            configuration->offer = offers[i];
            configuration->attributes[201] = descriptor->attributes[201];
            configuration->final = true;
        }
        return SUCCESS;
    }
    if (is(CONFIGURATION, 300, DESCRIPTOR) && room == 1) {
        Descriptor* engine = *(Descriptor**)place;
        if (!alive.count(engine) || engine->kind != ENGINE) return refuse(BAD_PARAM, "no place for an engine");
        engine->offer = descriptor->offer;
        *count = 1;
        return SUCCESS;
    }
    if (is(CONFIGURATION, 302, DESCRIPTOR)) {
        // One knob, turned as far as the engine's number.
        *count = 1;
        if (!room) return SUCCESS;
        Descriptor* knob = *(Descriptor**)place;
        if (!alive.count(knob) || knob->kind != KNOB) return refuse(BAD_PARAM, "no place for a knob");
        knob->offer = descriptor->offer;
        knob->final = true;
        return SUCCESS;
    }
    if (is(KNOB, 600, KNOB_TYPE)) return give(std::vector<int>{2}, room, count, place);
    if (is(KNOB, 601, INT64)) return give(std::vector<std::int64_t>{descriptor->offer.id}, room, count, place);
    if (is(ENGINE, 1301, INT64)) return give(std::vector<std::int64_t>{descriptor->offer.id}, room, count, place);
    if (is(ENGINE, 1303, NOTE)) {
        std::vector<int> notes;
        if (descriptor->offer.note >= 0) notes.push_back(descriptor->offer.note);
        return give(notes, room, count, place);
    }
    if (is(PLAN, 402, INT64)) {
        std::int64_t bytes = workspace_of(descriptor->one<Descriptor*>(401)->offer);
        return give(std::vector<std::int64_t>{bytes}, room, count, place);
    }
    return refuse(BAD_PARAM, "it has no such attribute to give");
}

int cudnnBackendExecute(Handle* handle, Descriptor* plan, Descriptor* pack) {
    if (int code = fake_begin("cudnnBackendExecute", EXECUTION_FAILED)) return code;
    if (!alive.count(plan) || !alive.count(pack) || !plan->final || !pack->final) {
        return refuse(NOT_FINALIZED, "a plan or its tensors are not final");
    }
    Descriptor* configuration = plan->one<Descriptor*>(401);
    if (!alive.count(configuration)) return refuse(BAD_PARAM, "the plan's configuration is gone");
    Descriptor* graph = configuration->one<Descriptor*>(201);
    if (!alive.count(graph)) return refuse(BAD_PARAM, "the plan's graph is gone");
    Offer offer = configuration->offer;
    fake_log("cudnn runs engine " + std::to_string(offer.id));
    std::vector<Operation> operations = operations_of(graph);
    std::map<std::int64_t, Binding> bound;
    if (int code = bind_tensors(operations, pack, bound)) return code;
    void* workspace = pack->one<void*>(1003);
    if (!fake_inside(workspace, workspace_of(offer))) return refuse(BAD_PARAM, "the workspace");
    bool enqueued = fake_enqueue(handle->stream, [=] {
        std::memset(workspace, 0xff, workspace_of(offer));
        run_graph(operations, bound, offer.note);
    }, offer.milliseconds);
    return enqueued ? SUCCESS : refuse(BAD_PARAM, "the stream is another context's");
}
}
