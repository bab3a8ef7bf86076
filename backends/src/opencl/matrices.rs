//! Which instruction multiplies matrices in a sub-group's work-items: the device says that it has one, or is of a maker
//! whose compiler may know one, and then it must have multiplied.

use super::caps::Query;
use super::device::OpenClDevice;
use crate::cooperative::{INSTRUCTIONS, Instruction, TRIAL};
use crate::{Device, Result, Source, trial};
use half::f16;
use std::fmt::Write;

/// The fact that names the instruction's form.
pub(super) const FACT: &str = "cooperative_matrix";

/// Whether the device may have an instruction. AMD's list none: its compilers know those of their device as built-in
/// functions.
pub(super) fn may_have(query: Query, subgroup: Option<(u32, u32)>, instruction: &Instruction) -> bool {
    let Some((smallest, largest)) = subgroup else { return false };
    if instruction.m == 8 {
        // The functions are for sub-groups of the device's smallest size.
        smallest == instruction.subgroup
            && ["cl_intel_subgroup_matrix_multiply_accumulate", "cl_intel_required_subgroup_size"]
                .into_iter()
                .all(|extension| query.lists(extension))
    } else {
        [smallest, largest] == [instruction.subgroup; 2] && query.lists("cl_amd_device_attribute_query")
    }
}

/// The one that a device has.
pub(super) fn found(device: &OpenClDevice, query: Query) -> Option<Instruction> {
    let subgroup = device.caps().subgroup;
    INSTRUCTIONS.into_iter().find(|instruction| {
        may_have(query, subgroup, instruction) && multiplies(device, *instruction, "").unwrap_or(false)
    })
}

/// Whether it really multiplies: small whole numbers, which every type holds exactly. `before` is text that goes before the
/// kernel's.
fn multiplies(device: &dyn Device, instruction: Instruction, before: &str) -> Result<bool> {
    let Instruction { m, n, k, subgroup, .. } = instruction;
    let mut text = String::new();
    for (name, value) in instruction.defines() {
        // Writing to a string never fails.
        let _ = writeln!(text, "#define {name} {value}");
    }
    text += before;
    text += TRIAL;
    let halves = |rows: u32, element: fn(u32, u32) -> f32| -> Vec<u8> {
        let places = (0..rows).flat_map(|row| (0..k).map(move |l| (row, l)));
        places.flat_map(|(row, l)| f16::from_f32(element(row, l)).to_ne_bytes()).collect()
    };
    let floats = |element: &dyn Fn(u32, u32) -> f32| -> Vec<u8> {
        let places = (0..m).flat_map(|row| (0..n).map(move |column| (row, column)));
        places.flat_map(|(row, column)| element(row, column).to_ne_bytes()).collect()
    };
    let expected = floats(&|row, column| (0..k).map(|l| a(row, l) * b(column, l)).sum::<f32>() + c(row, column));
    let source = Source::OpenClC(text.into());
    Ok(trial::run(device, source, "multiply_once", subgroup, &[&halves(m, a), &halves(n, b)], &floats(&c))? == expected)
}

/// A's element in a row: nothing in it is symmetric.
fn a(row: u32, l: u32) -> f32 {
    ((3 * row + 5 * l) % 7) as f32 - 3.0
}

/// B's element in a column.
fn b(column: u32, l: u32) -> f32 {
    ((column + 3 * l) % 5) as f32 - 2.0
}

/// C's, before.
fn c(row: u32, column: u32) -> f32 {
    ((row + 2 * column) % 11) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opencl::OpenClDriver;
    use crate::{Driver, Presence};

    const PLAYED: &str = include_str!("../cooperative/played.cl");

    /// Devices whose sub-groups can have so many work-items, of which there must be one where a driver with such is required.
    fn with_sub_groups_of(size: u32) -> Vec<Box<dyn Device>> {
        let Presence::Present { devices, .. } = OpenClDriver.probe() else { return Vec::new() };
        let with = |subgroup: Option<(u32, u32)>| subgroup.is_some_and(|(least, most)| (least..=most).contains(&size));
        let found: Vec<_> = devices
            .iter()
            .filter(|info| with(info.caps.subgroup))
            .map(|info| OpenClDriver.open(info.id.index).unwrap())
            .collect();
        let required = std::env::var("ACCELBENCH_REQUIRE").unwrap_or_default();
        assert!(!found.is_empty() || !required.contains("opencl:intel"), "no device has sub-groups of {size}");
        if found.is_empty() {
            println!("left out: no device has sub-groups of {size}");
        }
        found
    }

    #[test]
    fn what_multiplies_is_seen_and_what_mixes_lanes_up_is_not() {
        for instruction in INSTRUCTIONS {
            for device in with_sub_groups_of(instruction.subgroup) {
                let seen = |before: &str| {
                    let what = format!("{instruction} on {}", device.info().name);
                    multiplies(&*device, instruction, before).unwrap_or_else(|error| panic!("{what}: {error}"))
                };
                assert!(seen(PLAYED), "{instruction}");
                let mixed = "#define intel_sub_group_shuffle(x, lane) intel_sub_group_shuffle(x, (lane) ^ 1)\n";
                assert!(!seen(&(mixed.to_owned() + PLAYED)), "{instruction}");
            }
        }
    }

    #[test]
    fn a_factor_or_a_result_that_is_turned_over_shows() {
        let sum = |row, column| (0..8).map(|l| a(row, l) * b(column, l)).sum::<f32>() + c(row, column);
        let differs = |other: &dyn Fn(u32, u32) -> f32| {
            (0..64).any(|place| other(place / 8, place % 8).to_bits() != sum(place / 8, place % 8).to_bits())
        };
        assert!(differs(&|row, column| sum(column, row)));
        assert!(differs(&|row, column| (0..8).map(|l| a(l, row) * b(column, l)).sum::<f32>() + c(row, column)));
        assert!(differs(&|row, column| (0..8).map(|l| a(row, l) * b(l, column)).sum::<f32>() + c(row, column)));
    }
}
