//! What the work-items of a sub-group can multiply together: in WGSL the square matrices of the extension
//! `wgpu_cooperative_matrix`, in OpenCL C those of [`accelbench_backends::cooperative`].

use crate::Precision;
use accelbench_backends::cooperative::{INSTRUCTIONS, Instruction};
use accelbench_backends::{Caps, DeviceKind, Language};

/// Bytes of a work-item's sums in WGSL, at most: half of the registers of most devices, and as much as others have.
const SUMS_BYTES: u32 = 512;

/// Matrices of which a sub-group multiplies A, m × k, by B, k × n, and the language in which it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Cooperative {
    pub(crate) instruction: Instruction,
    pub(crate) language: Language,
}

impl Cooperative {
    const fn square(side: u32, subgroup: u32) -> Self {
        let instruction = Instruction { m: side, n: side, k: side, subgroup, sums_bytes: SUMS_BYTES };
        Self { instruction, language: Language::Wgsl }
    }

    /// The largest matrices of a precision that such a device's sub-groups multiply together; none where it has no units
    /// for that, or where the size of its sub-groups may vary and can't be asked for.
    ///
    /// The fact `cooperative_matrix` lists the forms, such as `16x16x16 f16 f32`: rows of A, columns of B, columns of A,
    /// the type of A and B, and that of C.
    pub(crate) fn of(precision: Precision, caps: &Caps) -> Option<Self> {
        let forms = caps.facts.get("cooperative_matrix")?;
        // A CPU's driver only plays such units.
        if caps.kind == DeviceKind::Cpu || precision.missing(caps).is_some() {
            return None;
        }
        let known: Vec<Self> = if caps.speaks(Language::Wgsl) {
            let (subgroup, _) = caps.subgroup.filter(|(smallest, largest)| smallest == largest)?;
            [16, 8].map(|side| Self::square(side, subgroup)).into()
        } else if caps.speaks(Language::OpenClC) {
            INSTRUCTIONS.map(|instruction| Self { instruction, language: Language::OpenClC }).into()
        } else {
            return None;
        };
        let (factors, sums) = (precision.storage(), precision.accumulate());
        known.into_iter().find(|Self { instruction: Instruction { m, n, k, .. }, .. }| {
            let wanted = format!("{m}x{n}x{k} {factors} {sums}");
            forms.split(", ").any(|form| form == wanted)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use std::collections::BTreeMap;

    #[test]
    fn the_largest_matrices_of_the_precision_are_taken() {
        let caps = testing::cooperative("8x8x8 f16 f32, 16x16x16 f16 f32, 8x8x8 f16 f16");
        let side = |precision| Cooperative::of(precision, &caps).map(|matrices| matrices.instruction.m);
        assert_eq!(side(Precision::F16), Some(16));
        assert_eq!(side(Precision::F16Acc16), Some(8));
        assert_eq!([side(Precision::F32), side(Precision::F64)], [None; 2]);
    }

    #[test]
    fn sub_groups_of_unknown_size_multiply_nothing() {
        let caps = testing::cooperative("16x16x16 f16 f32");
        let of = |caps: &Caps| Cooperative::of(Precision::F16, caps);
        assert!(of(&caps).is_some());
        for subgroup in [None, Some((16, 32))] {
            assert_eq!(of(&Caps { subgroup, ..caps.clone() }), None);
        }
        assert_eq!(of(&Caps { kind: DeviceKind::Cpu, ..caps.clone() }), None);
        assert_eq!(of(&Caps { facts: BTreeMap::new(), ..caps }), None);
    }

    #[test]
    fn opencl_has_the_instructions_that_its_devices_name() {
        for instruction in INSTRUCTIONS {
            let caps = testing::instructed(instruction);
            let matrices = Cooperative { instruction, language: Language::OpenClC };
            assert_eq!(Cooperative::of(Precision::F16, &caps), Some(matrices));
            assert_eq!([Precision::F16Acc16, Precision::F32].map(|p| Cooperative::of(p, &caps)), [None; 2]);
        }
    }
}
