// A stand-in for NVRTC that compiles CUDA C++ for the CPU, to be run by the fake driver. For tests only.
//
// The "machine code" that it gives is a shared object, made by g++ from the source with device.h in front.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

enum nvrtcResult { SUCCESS = 0, INVALID_INPUT = 3, INVALID_PROGRAM = 4, INVALID_OPTION = 5, COMPILATION = 6 };

struct Program {
    std::string source, log, image;
};

static std::string read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

// The folder of this library, where the fake driver and the headers are.
static std::string home() {
    Dl_info info;
    dladdr((void*)&home, &info);
    std::string path = info.dli_fname;
    return path.substr(0, path.rfind('/'));
}

// Static shared memory becomes static; dynamic shared memory is the driver's. Each kernel gets an entry.
static std::string for_the_cpu(const std::string& source) {
    std::string text = std::regex_replace(source, std::regex("extern\\s+__shared__"), "extern");
    std::regex kernel(
        "__global__\\s+void\\s+(?:__launch_bounds__\\([^)]*\\)\\s*)?(?:__cluster_dims__\\((\\w+)[^)]*\\)\\s*)?(\\w+)\\s*\\(");
    std::string entries;
    for (std::sregex_iterator i(source.begin(), source.end(), kernel), end; i != end; ++i) {
        std::string cluster = (*i)[1].matched ? (*i)[1].str() : "1";
        entries += "\nEMULATED_KERNEL(" + (*i)[2].str() + ", " + cluster + ")";
    }
    return "#include \"device.h\"\n#line 1 \"kernel.cu\"\n" + text + entries + "\n";
}

extern "C" {

nvrtcResult nvrtcVersion(int* major, int* minor) {
    *major = 13;
    *minor = 0;
    return SUCCESS;
}

static const std::vector<int> ARCHITECTURES = {75, 80, 90};

nvrtcResult nvrtcGetNumSupportedArchs(int* count) {
    *count = (int)ARCHITECTURES.size();
    return SUCCESS;
}

nvrtcResult nvrtcGetSupportedArchs(int* architectures) {
    for (std::size_t i = 0; i < ARCHITECTURES.size(); ++i) architectures[i] = ARCHITECTURES[i];
    return SUCCESS;
}

nvrtcResult nvrtcCreateProgram(Program** program, const char* source, const char*, int headers, const char* const*,
                               const char* const*) {
    if (!source || headers != 0) return INVALID_INPUT;
    *program = new Program{source, "", ""};
    return SUCCESS;
}

nvrtcResult nvrtcDestroyProgram(Program** program) {
    if (!*program) return INVALID_PROGRAM;
    delete *program;
    *program = nullptr;
    return SUCCESS;
}

nvrtcResult nvrtcCompileProgram(Program* program, int count, const char* const* options) {
    std::string definitions;
    bool architecture = false;
    for (int i = 0; i < count; ++i) {
        std::string option = options[i];
        if (option.rfind("--gpu-architecture=", 0) == 0) {
            architecture = true;
            program->log += "fake NVRTC for " + option.substr(19) + ", compiled for the CPU\n";
        } else if (option.rfind("--define-macro=", 0) == 0) {
            definitions += " '-D" + option.substr(15) + "'";
        } else if (option != "--std=c++17" && option != "--ptxas-options=-v") {
            program->log = "unknown option " + option;
            return INVALID_OPTION;
        }
    }
    if (!architecture) return INVALID_OPTION;
    char folder[] = "/tmp/accelbench-fake-XXXXXX";
    if (!mkdtemp(folder)) return COMPILATION;
    std::string work = folder, fake = home();
    std::ofstream(work + "/kernel.cpp") << for_the_cpu(program->source);
    // No contraction: a kernel's products and sums are rounded as it writes them.
    std::string command = "g++ -std=c++17 -O1 -w -shared -fPIC -fno-strict-aliasing -ffp-contract=off -I'" + fake + "'" +
                          definitions + " '" + work + "/kernel.cpp' -o '" + work + "/kernel.so' -L'" + fake +
                          "' -l:libcuda.so.1 2>'" + work + "/log'";
    // g++ is not to load the stand-ins.
    int status = std::system(("LD_LIBRARY_PATH= " + command).c_str());
    program->log += read(work + "/log");
    program->image = status == 0 ? read(work + "/kernel.so") : "";
    std::system(("rm -r '" + work + "'").c_str());
    return status == 0 ? SUCCESS : COMPILATION;
}

nvrtcResult nvrtcGetProgramLogSize(Program* program, std::size_t* size) {
    *size = program->log.size() + 1;
    return SUCCESS;
}

nvrtcResult nvrtcGetProgramLog(Program* program, char* log) {
    std::memcpy(log, program->log.c_str(), program->log.size() + 1);
    return SUCCESS;
}

nvrtcResult nvrtcGetCUBINSize(Program* program, std::size_t* size) {
    *size = program->image.size();
    return SUCCESS;
}

nvrtcResult nvrtcGetCUBIN(Program* program, char* image) {
    std::memcpy(image, program->image.data(), program->image.size());
    return SUCCESS;
}

nvrtcResult nvrtcGetPTXSize(Program* program, std::size_t* size) { return nvrtcGetCUBINSize(program, size); }

nvrtcResult nvrtcGetPTX(Program* program, char* image) { return nvrtcGetCUBIN(program, image); }
}
