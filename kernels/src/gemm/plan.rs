//! The ways to compute a GEMM: one typed plan a family, each with its validity, geometry and program.

use super::tiled::Products;
use super::{CoopPlan, DirectPlan, DotsPlan, GemmProblem, MmaPlan, PackedPlan, TiledPlan, WgmmaPlan, library};
use crate::bound::TypedPlan;
use crate::space::unique;
use crate::{Demand, Program, Unit};
use accelbench_backends::{Caps, DeviceKind};

/// One way to compute a GEMM.
#[derive(Clone, Debug, PartialEq)]
pub enum GemmPlan {
    /// Blocks of A and B brought to local memory by a copy engine, multiplied by matrix units four warps at a time.
    Wgmma(WgmmaPlan),
    /// Blocks of A and B staged in local memory, multiplied by matrix units.
    Mma(MmaPlan),
    /// Blocks of A and B staged in local memory, multiplied by matrix units that a sub-group shares.
    Coop(CoopPlan),
    /// Blocks of A and B staged in local memory, a register tile a work-item.
    Tiled(TiledPlan),
    /// A and B copied into panels, a vector-register tile a work-item, one work-item a work-group.
    Packed(PackedPlan),
    /// A and B read straight from memory, the rows of A broadcast within a sub-group.
    Direct(DirectPlan),
    /// Rows of A by rows of B as they lie, sums along k in vector registers, one work-item a work-group.
    Dots(DotsPlan),
    /// A library that the device offers, by name.
    Library(String),
}

/// All valid plans for a problem on such a device, the preferred one first.
pub fn candidates(problem: &GemmProblem, caps: &Caps) -> Vec<GemmPlan> {
    let [mut plans, found] = library::candidates(problem, caps);
    let wgmma = WgmmaPlan::candidates(problem, caps).into_iter().map(GemmPlan::Wgmma);
    let mma = MmaPlan::candidates(problem, caps).into_iter().map(GemmPlan::Mma);
    let coop = CoopPlan::candidates(problem, caps).into_iter().map(GemmPlan::Coop);
    let tiled = TiledPlan::candidates(problem, caps).into_iter().map(GemmPlan::Tiled);
    let packed = PackedPlan::candidates(problem, caps).into_iter().map(GemmPlan::Packed);
    // Local memory is a CPU's ordinary memory, and a barrier there ends a loop: panels in registers do better.
    if caps.kind == DeviceKind::Cpu {
        let dots = DotsPlan::candidates(problem, caps).into_iter().map(GemmPlan::Dots);
        if DotsPlan::suits(problem) {
            plans.extend(dots.chain(packed));
        } else {
            plans.extend(packed.chain(dots));
        }
        plans.extend(DirectPlan::candidates(problem, caps).into_iter().map(GemmPlan::Direct));
        plans.extend(tiled);
    } else {
        plans.extend(wgmma);
        plans.extend(mma);
        plans.extend(coop);
        plans.extend(tiled);
        plans.extend(packed);
    }
    plans.extend(found);
    plans
}

/// All valid plans, those of [`candidates`] first.
pub fn space(problem: &GemmProblem, caps: &Caps) -> Vec<GemmPlan> {
    let products = &problem.into();
    let wgmma = WgmmaPlan::space(problem, caps).into_iter().map(GemmPlan::Wgmma);
    let mma = MmaPlan::space(problem, caps).into_iter().map(GemmPlan::Mma);
    let coop = CoopPlan::space(problem, caps).into_iter().map(GemmPlan::Coop);
    let tiled = TiledPlan::space(products, caps).into_iter().map(GemmPlan::Tiled);
    let packed = PackedPlan::space(problem, caps).into_iter().map(GemmPlan::Packed);
    let direct = DirectPlan::space(products, caps).into_iter().map(GemmPlan::Direct);
    let dots = DotsPlan::all(problem, caps).into_iter().map(GemmPlan::Dots);
    let more = wgmma.chain(mma).chain(coop).chain(packed).chain(dots).chain(direct).chain(tiled);
    unique(candidates(problem, caps).into_iter().chain(more))
}

/// Puts the first plan of a ladder, from large tiles to small, that `fills` the device before all others; the last one
/// where none does.
pub(crate) fn preferred_first<P>(mut ladder: Vec<P>, fills: impl Fn(&P) -> bool) -> Vec<P> {
    let preferred = ladder.iter().position(fills).unwrap_or(ladder.len().saturating_sub(1));
    if !ladder.is_empty() {
        ladder[..=preferred].rotate_right(1);
    }
    ladder
}

impl TypedPlan<GemmProblem> for GemmPlan {
    fn variant(&self) -> String {
        match self {
            GemmPlan::Wgmma(_) => "wgmma".into(),
            GemmPlan::Mma(_) => "mma".into(),
            GemmPlan::Coop(_) => "coop".into(),
            GemmPlan::Tiled(_) => "tiled".into(),
            GemmPlan::Packed(_) => "packed".into(),
            GemmPlan::Direct(_) => "direct".into(),
            GemmPlan::Dots(_) => "dots".into(),
            GemmPlan::Library(name) => name.clone(),
        }
    }

    fn name(&self) -> String {
        match self {
            GemmPlan::Wgmma(plan) => plan.name(),
            GemmPlan::Mma(plan) => plan.name(),
            GemmPlan::Coop(plan) => plan.name(),
            GemmPlan::Tiled(plan) => plan.name(),
            GemmPlan::Packed(plan) => plan.name(),
            GemmPlan::Direct(plan) => plan.name(),
            GemmPlan::Dots(plan) => plan.name(),
            GemmPlan::Library(name) => name.clone(),
        }
    }

    fn program(&self, problem: &GemmProblem, caps: &Caps) -> Program {
        match self {
            GemmPlan::Wgmma(plan) => plan.program(problem, caps),
            GemmPlan::Mma(plan) => plan.program(problem, caps),
            GemmPlan::Coop(plan) => plan.program(problem, caps),
            GemmPlan::Tiled(plan) => plan.program(problem, caps),
            GemmPlan::Packed(plan) => plan.program(problem, caps),
            GemmPlan::Direct(plan) => plan.program(problem, caps),
            GemmPlan::Dots(plan) => plan.program(problem, caps),
            GemmPlan::Library(name) => library::program(name, problem),
        }
    }

    fn unit(&self) -> Unit {
        match self {
            GemmPlan::Wgmma(_) | GemmPlan::Mma(_) | GemmPlan::Coop(_) => Unit::Matrix,
            GemmPlan::Library(_) => Unit::Any,
            GemmPlan::Tiled(_) | GemmPlan::Packed(_) | GemmPlan::Direct(_) | GemmPlan::Dots(_) => Unit::Vector,
        }
    }

    fn sizes(&self) -> Vec<u32> {
        match self {
            GemmPlan::Wgmma(plan) => plan.sizes(),
            GemmPlan::Mma(plan) => plan.sizes(),
            GemmPlan::Coop(plan) => plan.sizes(),
            GemmPlan::Tiled(plan) => plan.sizes(),
            GemmPlan::Packed(plan) => plan.sizes(),
            GemmPlan::Direct(plan) => plan.sizes(),
            GemmPlan::Dots(plan) => plan.sizes(),
            GemmPlan::Library(_) => Vec::new(),
        }
    }

    fn demand(&self, problem: &GemmProblem) -> Option<Demand> {
        let products: Products = problem.into();
        match self {
            GemmPlan::Wgmma(plan) => Some(plan.demand(problem)),
            GemmPlan::Mma(plan) => Some(plan.demand(&products)),
            GemmPlan::Coop(plan) => Some(plan.demand(problem)),
            GemmPlan::Tiled(plan) => Some(plan.demand(&products)),
            GemmPlan::Packed(plan) => {
                Some(Demand { other_bytes: plan.packing_bytes(problem), ..plan.demand(&products) })
            }
            GemmPlan::Direct(plan) => Some(plan.demand(&products)),
            GemmPlan::Dots(plan) => Some(plan.demand(problem)),
            GemmPlan::Library(_) => None,
        }
    }
}
