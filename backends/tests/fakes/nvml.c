// A stand-in for NVML. Each device draws a known power in real time, which its energy counter adds up. For tests only.
//
//   DEVICES         how many there are; 2
//   WATTS           what the first one draws, and each that follows 50 more; 250
//   TICK_MS         how often the counter advances; 20
//   PCI, UUID       the first device's address and id; the following ones count the bus on
//   NAME, ARCH      its name and architecture; 9 is Hopper, 7 Ampere
//   OTHER           a process that computes on it beside this one; none
//   NO_COUNTER, NO_FIELDS, NO_USAGE, NO_ASIDE    functions that are not there
//   HANGS           it never gets ready
//   DENIED          the counter and power are for root alone
//   LOST_AT_S, STUCK_AT_S, FROZEN_AT_S    seconds after its start the counter is lost, never answers, stands still
//   BACK_AT_S, JUMP_AT_S                  or is 3000 J further back or on
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef DEVICES
#define DEVICES 2
#endif
#ifndef WATTS
#define WATTS 250
#endif
#ifndef TICK_MS
#define TICK_MS 20
#endif
#ifndef PCI
#define PCI "00000000:1B:00.0"
#endif
#ifndef UUID
#define UUID "GPU-0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0"
#endif
#ifndef NAME
#define NAME "Stand-in H200"
#endif
#ifndef ARCH
#define ARCH 9
#endif

enum { SUCCESS = 0, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NO_PERMISSION = 4, INSUFFICIENT_SIZE = 7, GPU_IS_LOST = 15 };

#ifdef DENIED
#define GRANT return NO_PERMISSION;
#else
#define GRANT
#endif

typedef struct Device {
    unsigned index, watts;
} Device;

static Device devices[DEVICES + 1];

// Both in milliseconds.
static unsigned long long start;

static unsigned long long monotonic(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

int nvmlInit_v2(void) {
    start = monotonic();
#ifdef HANGS
    for (;;) pause();
#endif
    return SUCCESS;
}

int nvmlShutdown(void) { return SUCCESS; }

int nvmlSystemGetDriverVersion(char *text, unsigned length) {
    snprintf(text, length, "570.00");
    return SUCCESS;
}

int nvmlDeviceGetCount_v2(unsigned *count) {
    *count = DEVICES;
    return SUCCESS;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device **device) {
    if (index + 1 > DEVICES) return INVALID_ARGUMENT;
    devices[index].index = index;
    devices[index].watts = WATTS ? WATTS + 50 * index : 0;
    *device = &devices[index];
    return SUCCESS;
}

int nvmlDeviceGetName(Device *device, char *text, unsigned length) {
    (void)device;
    snprintf(text, length, NAME);
    return SUCCESS;
}

int nvmlDeviceGetArchitecture(Device *device, unsigned *architecture) {
    (void)device;
    *architecture = ARCH;
    return SUCCESS;
}

int nvmlDeviceGetUUID(Device *device, char *text, unsigned length) {
    snprintf(text, length, "%s", UUID);
    text[strlen(text) - 1] += device->index;
    return SUCCESS;
}

typedef struct Pci {
    char legacy[16];
    unsigned domain, bus, device, id, subsystem;
    char address[32];
} Pci;

int nvmlDeviceGetPciInfo_v3(Device *device, Pci *pci) {
    memset(pci, 0, sizeof *pci);
    snprintf(pci->address, sizeof pci->address, "%s", PCI);
    pci->address[10] += device->index;
    snprintf(pci->legacy, sizeof pci->legacy, "%s", pci->address + 4);
    return SUCCESS;
}

#ifndef NO_COUNTER
int nvmlDeviceGetTotalEnergyConsumption(Device *device, unsigned long long *millijoules) {
    GRANT
    unsigned long long now = monotonic();
#ifdef LOST_AT_S
    if (now > start + LOST_AT_S * 1000) return GPU_IS_LOST;
#endif
#ifdef STUCK_AT_S
    while (now > start + STUCK_AT_S * 1000) pause();
#endif
#ifdef FROZEN_AT_S
    if (now > start + FROZEN_AT_S * 1000) now = start + FROZEN_AT_S * 1000;
#endif
    *millijoules = 1000000000 + now / TICK_MS * TICK_MS * device->watts;
#ifdef BACK_AT_S
    if (now > start + BACK_AT_S * 1000) *millijoules -= 3000000;
#endif
#ifdef JUMP_AT_S
    if (now > start + JUMP_AT_S * 1000) *millijoules += 3000000;
#endif
    return SUCCESS;
}
#endif

#ifndef NO_FIELDS
typedef struct Field {
    unsigned id, scope;
    long long time, latency;
    unsigned type;
    int result;
    unsigned long long value;
} Field;

int nvmlDeviceGetFieldValues(Device *device, int count, Field *fields) {
    GRANT
    for (int i = 0; i < count; i++) {
        fields[i].type = 1;
        fields[i].result = fields[i].id == 186 ? SUCCESS : NOT_SUPPORTED;
        fields[i].value = device->watts * 1000ull;
    }
    return SUCCESS;
}
#endif

#ifndef NO_USAGE
int nvmlDeviceGetPowerUsage(Device *device, unsigned *milliwatts) {
    GRANT
    *milliwatts = device->watts * 1000;
    return SUCCESS;
}
#endif

#ifndef NO_ASIDE
int nvmlDeviceGetClockInfo(Device *device, int clock, unsigned *mhz) {
    (void)device;
    *mhz = clock == 1 ? 1755 : 1;
    return SUCCESS;
}

int nvmlDeviceGetTemperature(Device *device, int sensor, unsigned *degrees) {
    (void)device, (void)sensor;
    *degrees = 61;
    return SUCCESS;
}

// Held back by the power cap.
int nvmlDeviceGetCurrentClocksThrottleReasons(Device *device, unsigned long long *reasons) {
    (void)device;
    *reasons = 4;
    return SUCCESS;
}

int nvmlDeviceGetEnforcedPowerLimit(Device *device, unsigned *milliwatts) {
    (void)device;
    *milliwatts = 700000;
    return SUCCESS;
}

typedef struct Process {
    unsigned pid;
    unsigned long long bytes;
    unsigned instance, computeInstance;
} Process;

int nvmlDeviceGetComputeRunningProcesses_v3(Device *device, unsigned *count, Process *processes) {
    (void)device;
    Process users[] = {
        {getpid(), 1, 0, 0},
#ifdef OTHER
        {OTHER, 1, 0, 0},
#endif
    };
    unsigned room = *count;
    *count = sizeof users / sizeof *users;
    if (room < *count) return INSUFFICIENT_SIZE;
    memcpy(processes, users, sizeof users);
    return SUCCESS;
}
#endif
