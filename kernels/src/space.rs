//! The plans that a search may choose from: all sizes of a family, sieved by the family's own constraints.

use crate::bound::TypedPlan;
use std::collections::HashSet;

/// Every combination of one value of each axis, the last axis fastest.
pub(crate) fn grid<const N: usize>(axes: [&[u32]; N]) -> impl Iterator<Item = [u32; N]> + use<N> {
    let count = axes.iter().map(|axis| axis.len()).product();
    let axes = axes.map(<[u32]>::to_vec);
    (0..count).map(move |number| {
        let mut rest = number;
        let mut values = [0; N];
        for (value, axis) in values.iter_mut().zip(&axes).rev() {
            *value = axis[rest % axis.len()];
            rest /= axis.len();
        }
        values
    })
}

/// The plans without those whose name was there before.
pub(crate) fn unique<T: TypedPlan<P>, P>(plans: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut names = HashSet::new();
    plans.into_iter().filter(|plan| names.insert(plan.name())).collect()
}

/// A side's bucket: the power of two that it does not exceed.
pub(crate) fn bucket_side(side: u32) -> u32 {
    side.next_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Catalogue, Profile, testing};
    use accelbench_backends::{Caps, DeviceKind, Language};
    use std::collections::BTreeMap;

    #[test]
    fn a_grid_has_every_combination_once() {
        let all: Vec<[u32; 2]> = grid([&[1, 2], &[5, 6, 7]]).collect();
        assert_eq!(all, [[1, 5], [1, 6], [1, 7], [2, 5], [2, 6], [2, 7]]);
    }

    fn devices() -> Vec<Caps> {
        use DeviceKind::{Cpu, Gpu};
        use Language::{CudaC, OpenClC, Wgsl};
        let of = |kind, language| Caps {
            subgroup: Some((8, 8)),
            compute_units: Some(4),
            local_bytes: 128 << 10,
            max_buffer_bytes: 1 << 40,
            max_grid: [1 << 30, 1 << 16, 1 << 16],
            facts: BTreeMap::from([
                ("native-vector-f32".to_owned(), "16".to_owned()),
                ("native-vector-f64".to_owned(), "8".to_owned()),
                ("compute_capability".to_owned(), "9.0".to_owned()),
            ]),
            ..testing::caps(kind, language)
        };
        [(Cpu, OpenClC), (Cpu, Wgsl), (Gpu, OpenClC), (Gpu, Wgsl), (Gpu, CudaC)].map(|(k, l)| of(k, l)).into()
    }

    /// What a search relies on: the default comes first, all preferred plans are there, names tell plans apart, and each
    /// plan that is no library's says what it asks for.
    #[test]
    fn every_space_holds_the_preferred_plans_and_more() {
        let catalogue = Catalogue::builtin();
        for caps in devices() {
            for operation in catalogue.iter() {
                for shape in operation.shapes(Profile::Quick) {
                    for &precision in operation.precisions() {
                        let case = operation.case(precision, &shape.fields).unwrap();
                        let names = |plans: &[Box<dyn crate::Plan>]| plans.iter().map(|p| p.name()).collect::<Vec<_>>();
                        let (plans, space) = (case.plans(&caps), case.space(&caps));
                        let (preferred, all) = (names(&plans), names(&space));
                        let what = format!("{} {precision} {}", case.op(), case.shape_text());
                        assert_eq!(all[..preferred.len()], preferred, "{what}");
                        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len(), "{what}");
                        assert!(plans.is_empty() || all.len() > plans.len(), "{what} has no more than {preferred:?}");
                        for (number, plan) in space.iter().enumerate() {
                            let demand = plan.demand().unwrap_or_else(|| panic!("{what}: {}", plan.name()));
                            let computed = demand.groups * demand.group_flop;
                            let sound = computed >= 0.4 * case.work().flop && demand.group_bytes > 0.0;
                            assert!(sound && demand.reuse > 0.0, "{what} {}: {demand:?}", plan.name());
                            assert!(!plan.sizes().is_empty());
                            // To look one up makes the whole space: once is enough.
                            if number == space.len() / 2 {
                                assert_eq!(case.plan(&caps, &plan.name()).map(|found| found.name()), Some(plan.name()));
                            }
                        }
                    }
                }
            }
        }
    }

    /// Plans with equal sizes would hide each other from a search that goes from neighbour to neighbour.
    #[test]
    fn sizes_tell_the_plans_of_a_family_apart() {
        let catalogue = Catalogue::builtin();
        for caps in devices() {
            for operation in catalogue.iter() {
                let shape = operation.shapes(Profile::Quick).remove(0);
                let case = operation.case(operation.precisions()[1], &shape.fields).unwrap();
                let mut known = BTreeMap::new();
                for plan in case.space(&caps) {
                    let key = (plan.variant(), plan.sizes());
                    let other = known.insert(key, plan.name());
                    assert_eq!(other, None, "{}", plan.name());
                }
            }
        }
    }

    #[test]
    fn shapes_of_a_bucket_share_a_layout_and_resemble_each_other() {
        let catalogue = Catalogue::builtin();
        let bucket = |op: &str, text: &str| catalogue.case(op, crate::Precision::F32, text).unwrap().bucket();
        assert_eq!(bucket("gemm", "1000x1024x600"), bucket("gemm", "1024x513x1024"));
        assert_ne!(bucket("gemm", "1000x1024x600"), bucket("gemm", "1000x1024x600-nt"));
        assert_ne!(bucket("gemm", "1000x1024x600"), bucket("gemm", "500x1024x600"));
        assert_eq!(bucket("conv2d", "1x64x56x56-64x3x3-p1-nchw"), bucket("conv2d", "1x60x60x60-64x3x3-p1-nchw"));
        assert_ne!(bucket("conv2d", "1x64x56x56-64x3x3-p1-nchw"), bucket("conv2d", "1x64x56x56-64x3x3-p1-nhwc"));
        assert_ne!(bucket("conv2d", "1x64x56x56-64x3x3-p1-nchw"), bucket("conv2d", "1x64x56x56-64x1x1-nchw"));
        assert_eq!(bucket("attention", "1x8x8-2048x2048x128"), bucket("attention", "1x7x7-1500x1500x100"));
        assert_ne!(bucket("attention", "1x8x8-2048x2048x128"), bucket("attention", "1x8x8-2048x2048x128-causal"));
    }
}
