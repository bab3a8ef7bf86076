// The copy engine of the architecture 9.0, and the barriers that count its bytes.
#include "fake.h"
#include <cstdio>
#include <cstring>
#include <deque>
#include <map>
#include <vector>

namespace {

// What 8 bytes in shared memory hold. Bytes may arrive before they are expected.
struct Barrier {
    unsigned short arrivals, missing;
    int bytes : 31;
    unsigned phase : 1;
};
static_assert(sizeof(Barrier) == 8);

struct Map {
    unsigned long long magic;
    unsigned char* first;
    unsigned element_bytes, matrices, rows, columns, box_rows;
};
constexpr unsigned long long MAGIC = 0xacce1be4c4a9ull;

// Bytes of a box's row, and of a unit that is moved whole.
constexpr unsigned ROW_BYTES = 128, UNIT = 16;

struct Load {
    unsigned target;
    Map map;
    BoxPlace place;
    unsigned barrier, ranks;
};

struct Store {
    Map map;
    BoxPlace place;
    unsigned source, rank;
};

// Of one thread.
struct Stores {
    std::vector<Store> open;
    std::deque<std::vector<Store>> groups;
};

std::vector<Load> waiting;
unsigned loads;
std::map<std::size_t, Stores> stores;

Barrier& barrier_at(unsigned address, unsigned rank) {
    if (address % 8) forbidden("a barrier that is not aligned");
    return *(Barrier*)(shared_of_block(rank) + address);
}

void settle(Barrier& barrier) {
    if (barrier.missing || barrier.bytes) return;
    barrier.phase ^= 1;
    barrier.missing = barrier.arrivals;
}

void arrive(Barrier& barrier) {
    if (barrier.missing == 0) forbidden("more arrivals than a barrier takes");
    --barrier.missing;
    settle(barrier);
}

Map read_map(const void* map) {
    Map copy;
    std::memcpy(&copy, map, sizeof copy);
    if (copy.magic != MAGIC || (std::size_t)map % 64) forbidden("no map of a matrix");
    if ((std::size_t)copy.first % UNIT || copy.columns * copy.element_bytes % UNIT || copy.box_rows > 256) forbidden("a wrong map");
    return copy;
}

// Calls `move` with the place in shared memory and in the matrix of each element of a box, and 0 where it lies outside.
// Coordinates are signed.
template <typename Move>
void each_element(const Map& map, const BoxPlace& box, unsigned shared, Move move) {
    if (shared % 128) forbidden("a box that is not aligned");
    for (unsigned i = 0; i < map.box_rows; ++i) {
        for (unsigned j = 0; j < ROW_BYTES / map.element_bytes; ++j) {
            unsigned flat = shared + i * ROW_BYTES + j * map.element_bytes;
            unsigned unit = flat / UNIT % 8 ^ flat / ROW_BYTES % 8;
            unsigned place = flat / ROW_BYTES * ROW_BYTES + unit * UNIT + flat % UNIT;
            unsigned row = box.row + i, column = box.column + j;
            bool inside = row < map.rows && column < map.columns && box.matrix < map.matrices;
            std::size_t flat_row = (std::size_t)box.matrix * map.rows + row;
            move(place, inside ? map.first + (flat_row * map.columns + column) * map.element_bytes : nullptr);
        }
    }
}

void perform(const Load& load) {
    for (unsigned rank = 0; rank < cluster_blocks(); ++rank) {
        if (!(load.ranks >> rank & 1)) continue;
        unsigned char* shared = shared_of_block(rank);
        each_element(load.map, load.place, load.target, [&](unsigned place, const unsigned char* element) {
            if (element) std::memcpy(shared + place, element, load.map.element_bytes);
            else std::memset(shared + place, 0, load.map.element_bytes);
        });
        Barrier& barrier = barrier_at(load.barrier, rank);
        barrier.bytes -= load.map.box_rows * ROW_BYTES;
        settle(barrier);
    }
}

void perform(const Store& store) {
    unsigned char* shared = shared_of_block(store.rank);
    each_element(store.map, store.place, store.source, [&](unsigned place, unsigned char* element) {
        if (element) std::memcpy(element, shared + place, store.map.element_bytes);
    });
}

} // namespace

bool phase_ended(const unsigned char* barrier, unsigned parity) { return ((const Barrier*)barrier)->phase != parity; }

bool engine_step() {
    if (waiting.empty()) return false;
    Load load = waiting.back();
    waiting.pop_back();
    perform(load);
    return true;
}

bool engine_end() {
    bool done = waiting.empty();
    for (auto& [thread, own] : stores) done = done && own.open.empty() && own.groups.empty();
    waiting.clear();
    stores.clear();
    return done;
}

extern "C" {

void emulator_barrier_create(unsigned barrier, unsigned arrivals) {
    unsigned short count = (unsigned short)arrivals;
    barrier_at(barrier, emulator_cluster_rank()) = {count, count, 0, 0};
}

void emulator_barrier_expect(unsigned barrier, unsigned bytes) {
    Barrier& own = barrier_at(barrier, emulator_cluster_rank());
    own.bytes += (int)bytes;
    arrive(own);
}

void emulator_barrier_arrive(unsigned barrier, unsigned rank) { arrive(barrier_at(barrier, rank)); }

void emulator_map_build(
    void* map, const void* first, unsigned element_bytes, unsigned matrices, unsigned rows, unsigned columns,
    unsigned box_rows) {
    Map value = {MAGIC, (unsigned char*)first, element_bytes, matrices, rows, columns, box_rows};
    std::memcpy(map, &value, sizeof value);
}

void emulator_box_load(unsigned target, const void* map, const BoxPlace& place, unsigned barrier, unsigned ranks) {
    Load load = {target, read_map(map), place, barrier, ranks};
    if (++loads % 2) {
        perform(load);
    } else {
        waiting.push_back(load);
    }
}

void emulator_box_store(const void* map, const BoxPlace& place, unsigned source) {
    stores[running_thread()].open.push_back({read_map(map), place, source, emulator_cluster_rank()});
}

void emulator_box_store_commit() {
    Stores& own = stores[running_thread()];
    own.groups.push_back(std::move(own.open));
    own.open.clear();
}

void emulator_box_store_wait(int pending) {
    Stores& own = stores[running_thread()];
    while (own.groups.size() > (std::size_t)pending) {
        for (const Store& store : own.groups.front()) perform(store);
        own.groups.pop_front();
    }
}
}
