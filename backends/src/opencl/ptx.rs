//! Whether the device's compiler takes inline PTX, as NVIDIA's does: a kernel with it is compiled and run.

use super::device::OpenClDevice;
use crate::{Device, Source, trial};

/// The fact that says so, `yes` where it does.
pub(super) const FACT: &str = "inline-ptx";

/// The fact that names the architecture, as of CUDA devices; only devices that could take PTX tell it.
pub(super) const ARCHITECTURE: &str = "compute_capability";

/// Each work-item reads its neighbour's word by an instruction of its own. A pointer to local memory is taken for an
/// address of the shared space, as kernels do; what could be none is not read, for that would end the context.
const SOURCE: &str = r#"
__attribute__((reqd_work_group_size(32, 1, 1)))
kernel void inline_ptx(global uint *values)
{
    local uint words[32];
    const uint item = get_local_id(0);
    words[item] = values[item];
    barrier(CLK_LOCAL_MEM_FENCE);
    const size_t address = (size_t)words + (item + 1) % 32 * 4;
    uint word = 0;
    if (address < 0x10000)
        asm volatile("ld.shared.u32 %0, [%1];" : "=r"(word) : "r"((uint)address) : "memory");
    values[item] = word;
}
"#;

const ITEMS: u32 = 32;

/// Whether it compiles, runs and finds its way in local memory.
pub(super) fn is_taken(device: &OpenClDevice) -> bool {
    // Other compilers print their errors on the terminal.
    device.caps().facts.contains_key(ARCHITECTURE) && is_right(device)
}

fn is_right(device: &OpenClDevice) -> bool {
    let input = input();
    let values =
        trial::run(device, Source::OpenClC(SOURCE.into()), "inline_ptx", ITEMS, &[], bytemuck::bytes_of(&input));
    values.is_ok_and(|values| values == bytemuck::bytes_of(&expected()))
}

fn input() -> [u32; ITEMS as usize] {
    std::array::from_fn(|item| 0x1234_0000 + item as u32)
}

fn expected() -> [u32; ITEMS as usize] {
    let mut values = input();
    values.rotate_left(1);
    values
}
