// A stand-in for libcuda: its devices are this CPU, and do what a stream is told only when somebody waits. For tests only.
//
//   ACCELBENCH_FAKE_DEVICES  compute capabilities, `9.0,6.1`; one of 9.0 where it is not set
//   ACCELBENCH_FAKE_MEMORY   bytes of each device
//   ACCELBENCH_FAKE_FAIL     `FUNCTION=CODE@N,...`: the N-th call of FUNCTION gives CODE
//   ACCELBENCH_FAKE_LOG      a file that gets a line for each call
//
// The stand-ins for libraries read the same variables through fake.h.
#include "fake.h"
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

typedef int CUresult;
typedef int CUdevice;
typedef unsigned long long CUdeviceptr;

enum : CUresult {
    SUCCESS = 0,
    INVALID_VALUE = 1,
    OUT_OF_MEMORY = 2,
    NOT_INITIALIZED = 3,
    NO_DEVICE = 100,
    INVALID_DEVICE = 101,
    INVALID_IMAGE = 200,
    INVALID_CONTEXT = 201,
    INVALID_HANDLE = 400,
    NOT_FOUND = 500,
    NOT_READY = 600,
    LAUNCH_FAILED = 719,
};

namespace {

using Clock = std::chrono::steady_clock;

struct Capability {
    int major, minor;
};

struct Context {
    CUdevice device;
};

struct Event {
    Context* context;
    bool recorded = false, happened = false;
    Clock::time_point at;
};

struct Module {
    Context* context;
    void* library;
};

struct Function {
    Module* module;
    std::string name;
    BoundKernel* (*bind)(void**);
    // Blocks of a cluster.
    unsigned cluster;
    unsigned dynamic_shared = 48 * 1024;
};

struct Stream {
    Context* context;
    std::vector<std::function<CUresult()>> work;
};

struct Allocation {
    Context* context;
    void* mapping;
    std::size_t mapped, bytes;
};

bool initialised;
CUresult lost = SUCCESS;
std::map<std::string, int> calls;
std::map<CUdevice, Context*> contexts;
Context* current;
std::set<Stream*> streams;
std::set<Event*> events;
std::set<Module*> modules;
std::map<CUdeviceptr, Allocation> allocations;
struct Pinned {
    Context* context;
    std::size_t bytes;
};
std::map<CUdeviceptr, Pinned> pinned;
std::vector<Function*> functions;
std::map<Context*, int> of_libraries;
// What libraries' work pretended to take, on top of what it took.
Clock::duration pretended{0};

Clock::time_point now() { return Clock::now() + pretended; }

std::string variable(const char* name, const char* otherwise) {
    const char* value = std::getenv(name);
    return value ? value : otherwise;
}

std::vector<Capability> devices() {
    std::vector<Capability> found;
    std::istringstream list(variable("ACCELBENCH_FAKE_DEVICES", "9.0"));
    for (std::string item; std::getline(list, item, ',');) {
        Capability capability;
        if (std::sscanf(item.c_str(), "%d.%d", &capability.major, &capability.minor) == 2) found.push_back(capability);
    }
    return found;
}

std::size_t memory_of_a_device() { return std::stoull(variable("ACCELBENCH_FAKE_MEMORY", "1073741824")); }

std::size_t memory_in_use(Context* context) {
    std::size_t bytes = 0;
    for (auto& [start, allocation] : allocations) bytes += allocation.context == context ? allocation.bytes : 0;
    return bytes;
}

void log(const std::string& line) {
    static std::FILE* file = std::getenv("ACCELBENCH_FAKE_LOG") ? std::fopen(std::getenv("ACCELBENCH_FAKE_LOG"), "a") : nullptr;
    if (!file) return;
    std::fprintf(file, "%s\n", line.c_str());
    std::fflush(file);
}

// After these a context gives the same error for ever.
bool sticky(CUresult code) { return code == 214 || code == 46 || code == 999 || (code >= 700 && code < 720 && code != 701); }

CUresult note(CUresult code) {
    if (sticky(code)) lost = code;
    return code;
}

// What comes before every function: the log, the errors that a test asked for, and those that stay.
CUresult begin(const char* name) {
    log(name);
    int number = ++calls[name];
    std::istringstream list(variable("ACCELBENCH_FAKE_FAIL", ""));
    for (std::string item; std::getline(list, item, ',');) {
        char function[64];
        int code, at;
        if (std::sscanf(item.c_str(), "%63[^=]=%d@%d", function, &code, &at) != 3) continue;
        if (std::string(function) == name && at == number) return note(code);
    }
    return lost;
}

CUresult begin_in_context(const char* name) {
    if (CUresult code = begin(name)) return code;
    if (!initialised) return NOT_INITIALIZED;
    return current ? SUCCESS : INVALID_CONTEXT;
}

CUresult drain(Stream* stream) {
    std::vector<std::function<CUresult()>> work;
    work.swap(stream->work);
    for (auto& item : work) {
        if (CUresult code = item()) return note(code);
    }
    return lost;
}

CUresult drain_all() {
    for (Stream* stream : streams) {
        if (CUresult code = drain(stream)) return code;
    }
    return lost;
}

// Whether a range lies in one allocation of the current context.
bool inside(CUdeviceptr start, std::size_t bytes) {
    auto next = allocations.upper_bound(start);
    if (next == allocations.begin()) return false;
    auto& [first, allocation] = *std::prev(next);
    return allocation.context == current && start - first <= allocation.bytes && bytes <= allocation.bytes - (start - first);
}

bool inside_pinned(CUdeviceptr start, std::size_t bytes) {
    auto next = pinned.upper_bound(start);
    if (next == pinned.begin()) return false;
    auto& [first, memory] = *std::prev(next);
    return start - first <= memory.bytes && bytes <= memory.bytes - (start - first);
}

int attribute(CUdevice device, int which) {
    Capability capability = devices()[device];
    switch (which) {
        case 1: return 1024;                        // threads of a block
        case 2: case 3: return 1024;                // along x, y
        case 4: return 64;                          // along z
        case 5: return 2147483647;                  // blocks along x
        case 6: case 7: return 65535;               // along y, z
        case 8: return 48 * 1024;                   // static shared memory
        case 10: return 32;                         // warp
        case 13: return 1980000;                    // clock, kHz
        case 16: return 2;                          // multiprocessors
        case 36: return 3201000;                    // memory clock, kHz
        case 37: return 6144;                       // memory bus, bits
        case 38: return 50 * 1024 * 1024;           // second-level cache
        case 75: return capability.major;
        case 76: return capability.minor;
        case 81: return 228 * 1024;                 // shared memory of a multiprocessor
        case 82: return 65536;                      // its registers
        case 97: return (int)SHARED_BYTES;          // shared memory of a block that asks for it
        default: return 0;
    }
}

} // namespace

extern "C" {

CUresult cuGetErrorName(CUresult code, const char** name) {
    static const std::map<CUresult, const char*> names = {
        {2, "CUDA_ERROR_OUT_OF_MEMORY"},     {100, "CUDA_ERROR_NO_DEVICE"},
        {201, "CUDA_ERROR_INVALID_CONTEXT"}, {214, "CUDA_ERROR_ECC_UNCORRECTABLE"},
        {400, "CUDA_ERROR_INVALID_HANDLE"},  {500, "CUDA_ERROR_NOT_FOUND"},
        {700, "CUDA_ERROR_ILLEGAL_ADDRESS"}, {701, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES"},
        {702, "CUDA_ERROR_LAUNCH_TIMEOUT"},  {719, "CUDA_ERROR_LAUNCH_FAILED"},
        {803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"},
    };
    auto found = names.find(code);
    *name = found == names.end() ? nullptr : found->second;
    return *name ? SUCCESS : INVALID_VALUE;
}

CUresult cuInit(unsigned) {
    if (CUresult code = begin("cuInit")) return code;
    if (devices().empty()) return NO_DEVICE;
    initialised = true;
    return SUCCESS;
}

CUresult cuDriverGetVersion(int* version) {
    *version = 13000;
    return begin("cuDriverGetVersion");
}

CUresult cuDeviceGetCount(int* count) {
    *count = (int)devices().size();
    return begin("cuDeviceGetCount");
}

CUresult cuDeviceGet(CUdevice* device, int ordinal) {
    if (CUresult code = begin("cuDeviceGet")) return code;
    if (!initialised) return NOT_INITIALIZED;
    if (ordinal < 0 || ordinal >= (int)devices().size()) return INVALID_DEVICE;
    *device = ordinal;
    return SUCCESS;
}

CUresult cuDeviceGetName(char* name, int length, CUdevice) {
    std::snprintf(name, length, "accelbench fake GPU");
    return begin("cuDeviceGetName");
}

CUresult cuDeviceGetAttribute(int* value, int which, CUdevice device) {
    *value = attribute(device, which);
    return begin("cuDeviceGetAttribute");
}

CUresult cuDeviceTotalMem_v2(std::size_t* bytes, CUdevice) {
    *bytes = memory_of_a_device();
    return begin("cuDeviceTotalMem");
}

CUresult cuDeviceGetPCIBusId(char* address, int length, CUdevice device) {
    std::snprintf(address, length, "0000:%02X:00.0", 0xFA + device);
    return begin("cuDeviceGetPCIBusId");
}

CUresult cuDeviceGetUuid_v2(unsigned char* uuid, CUdevice device) {
    for (int i = 0; i < 16; ++i) uuid[i] = (unsigned char)(0xF0 + i);
    uuid[0] = (unsigned char)device;
    return begin("cuDeviceGetUuid");
}

CUresult cuDevicePrimaryCtxRetain(Context** context, CUdevice device) {
    if (CUresult code = begin("cuDevicePrimaryCtxRetain")) return code;
    if (!initialised) return NOT_INITIALIZED;
    Context*& primary = contexts[device];
    if (!primary) primary = new Context{device};
    *context = primary;
    return SUCCESS;
}

CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
    Context* context = contexts[device];
    std::size_t left = 0;
    for (Stream* stream : streams) left += stream->context == context;
    for (Event* event : events) left += event->context == context;
    for (Module* module : modules) left += module->context == context;
    for (auto& [start, allocation] : allocations) left += allocation.context == context;
    for (auto& [start, memory] : pinned) left += memory.context == context;
    left += of_libraries[context];
    log("released device " + std::to_string(device) + ", " + std::to_string(left) + " objects left");
    return begin("cuDevicePrimaryCtxRelease");
}

CUresult cuCtxSetCurrent(Context* context) {
    current = context;
    return begin("cuCtxSetCurrent");
}

CUresult cuStreamCreate(Stream** stream, unsigned flags) {
    if (CUresult code = begin_in_context("cuStreamCreate")) return code;
    if (flags > 1) return INVALID_VALUE;
    *stream = new Stream{current, {}};
    streams.insert(*stream);
    return SUCCESS;
}

CUresult cuStreamDestroy_v2(Stream* stream) {
    CUresult code = begin_in_context("cuStreamDestroy");
    if (!streams.erase(stream)) return INVALID_HANDLE;
    delete stream;
    return code;
}

CUresult cuStreamSynchronize(Stream* stream) {
    if (CUresult code = begin_in_context("cuStreamSynchronize")) return code;
    if (!streams.count(stream) || stream->context != current) return INVALID_HANDLE;
    return drain(stream);
}

CUresult cuEventCreate(Event** event, unsigned flags) {
    if (CUresult code = begin_in_context("cuEventCreate")) return code;
    if (flags != 0) return INVALID_VALUE;
    *event = new Event{current};
    events.insert(*event);
    return SUCCESS;
}

CUresult cuEventDestroy_v2(Event* event) {
    CUresult code = begin_in_context("cuEventDestroy");
    if (!events.erase(event)) return INVALID_HANDLE;
    delete event;
    return code;
}

CUresult cuEventRecord(Event* event, Stream* stream) {
    if (CUresult code = begin_in_context("cuEventRecord")) return code;
    if (!events.count(event) || !streams.count(stream) || event->context != stream->context) return INVALID_HANDLE;
    event->recorded = true;
    event->happened = false;
    stream->work.push_back([event] {
        event->happened = true;
        event->at = now();
        return SUCCESS;
    });
    return SUCCESS;
}

CUresult cuEventSynchronize(Event* event) {
    if (CUresult code = begin_in_context("cuEventSynchronize")) return code;
    if (!events.count(event)) return INVALID_HANDLE;
    return event->happened ? SUCCESS : drain_all();
}

CUresult cuEventElapsedTime_v2(float* milliseconds, Event* start, Event* end) {
    if (CUresult code = begin_in_context("cuEventElapsedTime")) return code;
    if (!events.count(start) || !events.count(end) || !start->recorded || !end->recorded) return INVALID_HANDLE;
    if (!start->happened || !end->happened) return NOT_READY;
    *milliseconds = std::chrono::duration<float, std::milli>(end->at - start->at).count();
    return SUCCESS;
}

// Each allocation ends at a page that can't be touched, so that a kernel which leaves it dies.
CUresult cuMemAlloc_v2(CUdeviceptr* start, std::size_t bytes) {
    if (CUresult code = begin_in_context("cuMemAlloc")) return code;
    if (bytes == 0) return INVALID_VALUE;
    if (bytes > memory_of_a_device() - memory_in_use(current)) return OUT_OF_MEMORY;
    std::size_t page = (std::size_t)sysconf(_SC_PAGESIZE);
    std::size_t aligned = (bytes + 15) / 16 * 16, body = (aligned + page - 1) / page * page;
    void* mapping = mmap(nullptr, body + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) return OUT_OF_MEMORY;
    char* first = (char*)mapping + page;
    mprotect(first, body, PROT_READ | PROT_WRITE);
    std::memset(first, 0xff, body);
    *start = (CUdeviceptr)(first + body - aligned);
    allocations[*start] = {current, mapping, body + 2 * page, bytes};
    return SUCCESS;
}

CUresult cuMemFree_v2(CUdeviceptr start) {
    CUresult code = begin_in_context("cuMemFree");
    auto found = allocations.find(start);
    if (found == allocations.end() || found->second.context != current) return INVALID_VALUE;
    // As the real one, it waits for work that may use the memory.
    if (code == SUCCESS) code = drain_all();
    munmap(found->second.mapping, found->second.mapped);
    allocations.erase(found);
    return code;
}

CUresult cuMemGetInfo_v2(std::size_t* free, std::size_t* total) {
    if (CUresult code = begin_in_context("cuMemGetInfo")) return code;
    *total = memory_of_a_device();
    *free = *total - memory_in_use(current);
    return SUCCESS;
}

// Page-locked memory of the host: of no device's memory, and at the same address for all.
CUresult cuMemHostAlloc(void** start, std::size_t bytes, unsigned) {
    if (CUresult code = begin_in_context("cuMemHostAlloc")) return code;
    if (bytes == 0) return INVALID_VALUE;
    *start = std::malloc(bytes);
    pinned[(CUdeviceptr)*start] = {current, bytes};
    return SUCCESS;
}

CUresult cuMemFreeHost(void* start) {
    CUresult code = begin_in_context("cuMemFreeHost");
    if (!pinned.erase((CUdeviceptr)start)) return INVALID_VALUE;
    if (code == SUCCESS) code = drain_all();
    std::free(start);
    return code;
}

// With unified addressing, an address that is no device's is the host's; one end at least must be known to the driver.
CUresult cuMemcpyAsync(CUdeviceptr target, CUdeviceptr source, std::size_t bytes, Stream* stream) {
    if (CUresult code = begin_in_context("cuMemcpyAsync")) return code;
    auto known = [=](CUdeviceptr start) { return inside(start, bytes) || inside_pinned(start, bytes); };
    if (!streams.count(stream) || !(known(target) || known(source))) return INVALID_VALUE;
    stream->work.push_back([=] { return std::memcpy((void*)target, (void*)source, bytes), SUCCESS; });
    return SUCCESS;
}

CUresult cuMemsetD32Async(CUdeviceptr target, unsigned pattern, std::size_t count, Stream* stream) {
    if (CUresult code = begin_in_context("cuMemsetD32Async")) return code;
    if (!streams.count(stream) || target % 4 || !inside(target, 4 * count)) return INVALID_VALUE;
    stream->work.push_back([=] {
        for (std::size_t i = 0; i < count; ++i) ((unsigned*)target)[i] = pattern;
        return SUCCESS;
    });
    return SUCCESS;
}

CUresult cuMemsetD8Async(CUdeviceptr target, unsigned char pattern, std::size_t count, Stream* stream) {
    if (CUresult code = begin_in_context("cuMemsetD8Async")) return code;
    if (!streams.count(stream) || !inside(target, count)) return INVALID_VALUE;
    stream->work.push_back([=] { return std::memset((void*)target, pattern, count), SUCCESS; });
    return SUCCESS;
}

CUresult cuModuleLoadData(Module** module, const void* image) {
    if (CUresult code = begin_in_context("cuModuleLoadData")) return code;
    // The image is a shared object without a stated length: its section table, the last part, says where it ends.
    auto bytes = (const unsigned char*)image;
    if (std::memcmp(bytes, "\177ELF", 4) != 0) return INVALID_IMAGE;
    unsigned long long table;
    unsigned short entry, count;
    std::memcpy(&table, bytes + 40, 8);
    std::memcpy(&entry, bytes + 58, 2);
    std::memcpy(&count, bytes + 60, 2);
    char path[] = "/tmp/accelbench-fake-XXXXXX";
    int file = mkstemp(path);
    std::size_t length = table + (std::size_t)entry * count;
    bool written = file >= 0 && write(file, image, length) == (ssize_t)length;
    close(file);
    void* library = written ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : nullptr;
    if (!library) std::fprintf(stderr, "fake GPU: %s\n", written ? dlerror() : "a module can't be written");
    unlink(path);
    if (!library) return INVALID_IMAGE;
    *module = new Module{current, library};
    modules.insert(*module);
    return SUCCESS;
}

CUresult cuModuleUnload(Module* module) {
    CUresult code = begin_in_context("cuModuleUnload");
    if (!modules.erase(module)) return INVALID_HANDLE;
    // The real one does not wait either.
    dlclose(module->library);
    delete module;
    return code;
}

CUresult cuModuleGetFunction(Function** function, Module* module, const char* name) {
    if (CUresult code = begin_in_context("cuModuleGetFunction")) return code;
    if (!modules.count(module)) return INVALID_HANDLE;
    void* bind = dlsym(module->library, (std::string("emulated_") + name).c_str());
    void* cluster = dlsym(module->library, (std::string("cluster_of_") + name).c_str());
    if (!bind || !cluster) return NOT_FOUND;
    *function = new Function{module, name, (BoundKernel * (*)(void**)) bind, ((unsigned (*)())cluster)()};
    functions.push_back(*function);
    return SUCCESS;
}

CUresult cuFuncSetAttribute(Function* function, int which, int value) {
    if (CUresult code = begin_in_context("cuFuncSetAttribute")) return code;
    if (which != 8 || value < 0 || value > (int)SHARED_BYTES) return INVALID_VALUE;
    function->dynamic_shared = value;
    return SUCCESS;
}

CUresult cuLaunchKernel(Function* function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                        unsigned block_y, unsigned block_z, unsigned shared, Stream* stream, void** arguments,
                        void** extra) {
    if (CUresult code = begin_in_context("cuLaunchKernel")) return code;
    char line[256];
    std::snprintf(line, sizeof line, "launch %s grid %ux%ux%u block %ux%ux%u shared %u", function->name.c_str(), grid_x,
                  grid_y, grid_z, block_x, block_y, block_z, shared);
    log(line);
    if (!streams.count(stream) || !modules.count(function->module)) return INVALID_HANDLE;
    unsigned long long threads = 1ull * block_x * block_y * block_z;
    if (!grid_x || !grid_y || !grid_z || grid_y > 65535 || grid_z > 65535) return INVALID_VALUE;
    if (threads == 0 || threads > 1024 || shared > function->dynamic_shared || extra) return INVALID_VALUE;
    if (grid_x % function->cluster) return INVALID_VALUE;
    // Bound here: a launch copies its arguments before it returns.
    std::shared_ptr<BoundKernel> kernel(function->bind(arguments));
    Dim3 grid = {grid_x, grid_y, grid_z}, block = {block_x, block_y, block_z};
    unsigned cluster = function->cluster;
    stream->work.push_back([=] { return run_kernel(*kernel, grid, block, shared, cluster) ? SUCCESS : LAUNCH_FAILED; });
    return SUCCESS;
}
}

int fake_begin(const char* function, int failed) {
    CUresult code = begin_in_context(function);
    return code >= 100 && code < 1000 ? failed : code;
}

void fake_log(const std::string& line) { log(line); }

void fake_count(int objects) { of_libraries[current] += objects; }

bool fake_inside(const void* start, std::size_t bytes) { return inside((CUdeviceptr)start, bytes); }

bool fake_enqueue(void* stream, std::function<void()> work, double milliseconds) {
    auto found = streams.find((Stream*)stream);
    if (found == streams.end() || (*found)->context != current) return false;
    (*found)->work.push_back([=] {
        work();
        pretended += std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double, std::milli>(milliseconds));
        return SUCCESS;
    });
    return true;
}

std::vector<Offer> fake_offers(const char* name, const char* otherwise) {
    std::vector<Offer> offers;
    std::istringstream list(variable(name, otherwise));
    for (std::string item; std::getline(list, item, ',');) {
        Offer offer;
        char word[16] = "";
        if (std::sscanf(item.c_str(), "%d=%lf+%d", &offer.id, &offer.milliseconds, &offer.note) < 2) {
            std::sscanf(item.c_str(), "%d=%15s", &offer.id, word);
        }
        offer.fails = std::string(word) == "fails";
        offer.refused = std::string(word) == "refused";
        offers.push_back(offer);
    }
    return offers;
}

std::size_t fake_version(const char* name, const char* otherwise) { return std::stoull(variable(name, otherwise)); }
