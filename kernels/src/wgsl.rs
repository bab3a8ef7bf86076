//! WGSL has no preprocessor, so its kernels are templates, rendered here. A name that a template lacks is an error.

use crate::Precision;
use accelbench_backends::{Caps, DeviceKind, Language};
use minijinja::{Environment, UndefinedBehavior, Value};

/// A common software driver of Vulkan ends all loops of a work-item, without a word, after 65 535 rounds altogether.
pub(crate) const MOST_ROUNDS: u32 = 65_000;

/// Renders a template of this crate.
pub(crate) fn render(name: &str, template: &str, values: Value) -> String {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment
        .render_named_str(name, template, values)
        // Templates are part of this crate and rendered by its tests for every precision and layout.
        .unwrap_or_else(|error| unreachable!("{error:#}"))
}

/// What the work-items of a sub-group can multiply together: the matrices of the extension `wgpu_cooperative_matrix`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Cooperative {
    /// Rows and columns of each of the three matrices.
    pub(crate) side: u32,
    /// Work-items of a sub-group.
    pub(crate) subgroup: u32,
}

/// The largest matrices of a precision that such a device's sub-groups multiply together; none where it has no units
/// for that, or where the size of its sub-groups may vary.
///
/// The fact `cooperative_matrix` lists the forms, such as `16x16x16 f16 f32`: rows of A, columns of B, columns of A,
/// the type of A and B, and that of C.
pub(crate) fn cooperative(precision: Precision, caps: &Caps) -> Option<Cooperative> {
    let forms = caps.facts.get("cooperative_matrix")?;
    let (subgroup, _) = caps.subgroup.filter(|(smallest, largest)| smallest == largest)?;
    // A CPU's driver only plays such units.
    if caps.kind == DeviceKind::Cpu || !caps.speaks(Language::Wgsl) || precision.missing(caps).is_some() {
        return None;
    }
    let (factors, sums) = (precision.storage(), precision.accumulate());
    let side = [16, 8].into_iter().find(|side| {
        let wanted = format!("{side}x{side}x{side} {factors} {sums}");
        forms.split(", ").any(|form| form == wanted)
    })?;
    Some(Cooperative { side, subgroup })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use std::collections::BTreeMap;

    #[test]
    fn the_largest_matrices_of_the_precision_are_taken() {
        let caps = testing::cooperative("8x8x8 f16 f32, 16x16x16 f16 f32, 8x8x8 f16 f16");
        let side = |precision| cooperative(precision, &caps).map(|matrices| matrices.side);
        assert_eq!(side(Precision::F16), Some(16));
        assert_eq!(side(Precision::F16Acc16), Some(8));
        assert_eq!([side(Precision::F32), side(Precision::F64)], [None; 2]);
    }

    #[test]
    fn sub_groups_of_unknown_size_multiply_nothing() {
        let caps = testing::cooperative("16x16x16 f16 f32");
        assert!(cooperative(Precision::F16, &caps).is_some());
        for subgroup in [None, Some((16, 32))] {
            assert_eq!(cooperative(Precision::F16, &Caps { subgroup, ..caps.clone() }), None);
        }
        assert_eq!(cooperative(Precision::F16, &Caps { kind: DeviceKind::Cpu, ..caps.clone() }), None);
        assert_eq!(cooperative(Precision::F16, &Caps { facts: BTreeMap::new(), ..caps }), None);
    }
}
