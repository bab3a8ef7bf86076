//! The ways to compute an attention: one typed plan a family, each with its validity, geometry and program.

use super::{AttentionProblem, DirectPlan, MmaPlan, PackedPlan, TiledPlan, WgmmaPlan};
use crate::bound::TypedPlan;
use crate::space::unique;
use crate::{Demand, Program, Unit, program};
use accelbench_backends::{Access, Caps};
use serde_json::{Value, json};

/// One way to compute an attention.
#[derive(Clone, Debug, PartialEq)]
pub enum AttentionPlan {
    /// Keys and values brought to local memory by a copy engine, multiplied by matrix units four warps at a time.
    Wgmma(WgmmaPlan),
    /// Keys and values staged in local memory, multiplied by matrix units, rows and scores in registers.
    Mma(MmaPlan),
    /// Slices of Q, K and V staged in local memory, register tiles a work-item.
    Tiled(TiledPlan),
    /// Queries in the elements of vectors, register tiles of vectors, one work-item a work-group.
    Packed(PackedPlan),
    /// Rows in lanes, K and V read straight from memory and broadcast within a sub-group.
    Direct(DirectPlan),
    /// A library that the device offers, by name.
    Library(String),
}

/// All valid plans for a problem on such a device, the preferred one first.
pub fn candidates(problem: &AttentionProblem, caps: &Caps) -> Vec<AttentionPlan> {
    if problem.precision.missing(caps).is_some() {
        return Vec::new();
    }
    let libraries = program::libraries(problem, caps, &arguments(problem));
    let [mut plans, found] = libraries.map(|names| names.into_iter().map(AttentionPlan::Library).collect::<Vec<_>>());
    let wgmma = WgmmaPlan::of(problem, caps).map(AttentionPlan::Wgmma);
    let mma = MmaPlan::candidates(problem, caps).into_iter().map(AttentionPlan::Mma);
    if WgmmaPlan::fills(problem, caps) {
        plans.extend(wgmma.into_iter().chain(mma));
    } else {
        plans.extend(mma.chain(wgmma));
    }
    // Only a CPU has packed and direct ones, and they do better there: its local memory is ordinary memory, and a barrier ends a loop.
    plans.extend(PackedPlan::candidates(problem, caps).into_iter().map(AttentionPlan::Packed));
    plans.extend(DirectPlan::candidates(problem, caps).into_iter().map(AttentionPlan::Direct));
    plans.extend(TiledPlan::candidates(problem, caps).into_iter().map(AttentionPlan::Tiled));
    plans.extend(found);
    plans
}

/// All valid plans, those of [`candidates`] first.
pub fn space(problem: &AttentionProblem, caps: &Caps) -> Vec<AttentionPlan> {
    let mma = MmaPlan::space(problem, caps).into_iter().map(AttentionPlan::Mma);
    let packed = PackedPlan::space(problem, caps).into_iter().map(AttentionPlan::Packed);
    let direct = DirectPlan::space(problem, caps).into_iter().map(AttentionPlan::Direct);
    let tiled = TiledPlan::space(problem, caps).into_iter().map(AttentionPlan::Tiled);
    unique(candidates(problem, caps).into_iter().chain(mma).chain(packed).chain(direct).chain(tiled))
}

impl TypedPlan<AttentionProblem> for AttentionPlan {
    fn variant(&self) -> String {
        match self {
            AttentionPlan::Wgmma(_) => "wgmma".into(),
            AttentionPlan::Mma(_) => "mma".into(),
            AttentionPlan::Tiled(_) => "tiled".into(),
            AttentionPlan::Packed(_) => "packed".into(),
            AttentionPlan::Direct(_) => "direct".into(),
            AttentionPlan::Library(name) => name.clone(),
        }
    }

    fn name(&self) -> String {
        match self {
            AttentionPlan::Wgmma(plan) => plan.name(),
            AttentionPlan::Mma(plan) => plan.name(),
            AttentionPlan::Tiled(plan) => plan.name(),
            AttentionPlan::Packed(plan) => plan.name(),
            AttentionPlan::Direct(plan) => plan.name(),
            AttentionPlan::Library(name) => name.clone(),
        }
    }

    fn program(&self, problem: &AttentionProblem, caps: &Caps) -> Program {
        match self {
            AttentionPlan::Wgmma(plan) => plan.program(problem, caps),
            AttentionPlan::Mma(plan) => plan.program(problem, caps),
            AttentionPlan::Tiled(plan) => plan.program(problem, caps),
            AttentionPlan::Packed(plan) => plan.program(problem, caps),
            AttentionPlan::Direct(plan) => plan.program(problem, caps),
            AttentionPlan::Library(name) => program::library(problem, name, arguments(problem)),
        }
    }

    fn unit(&self) -> Unit {
        match self {
            AttentionPlan::Wgmma(_) | AttentionPlan::Mma(_) => Unit::Matrix,
            AttentionPlan::Tiled(_) | AttentionPlan::Packed(_) | AttentionPlan::Direct(_) => Unit::Vector,
            AttentionPlan::Library(_) => Unit::Any,
        }
    }

    fn sizes(&self) -> Vec<u32> {
        match self {
            AttentionPlan::Wgmma(plan) => plan.sizes(),
            AttentionPlan::Mma(plan) => plan.sizes(),
            AttentionPlan::Tiled(plan) => plan.sizes(),
            AttentionPlan::Packed(plan) => plan.sizes(),
            AttentionPlan::Direct(plan) => plan.sizes(),
            AttentionPlan::Library(_) => Vec::new(),
        }
    }

    fn demand(&self, problem: &AttentionProblem) -> Option<Demand> {
        match self {
            AttentionPlan::Wgmma(plan) => Some(plan.demand(problem)),
            AttentionPlan::Mma(plan) => Some(plan.demand(problem)),
            AttentionPlan::Tiled(plan) => Some(plan.demand(problem)),
            AttentionPlan::Packed(plan) => Some(plan.demand(problem)),
            AttentionPlan::Direct(plan) => Some(plan.demand(problem)),
            AttentionPlan::Library(_) => None,
        }
    }
}

/// Q, K, V and O.
pub(super) const BINDINGS: [Access; 4] = [Access::Read, Access::Read, Access::Read, Access::Write];

/// What a library's function is told.
fn arguments(problem: &AttentionProblem) -> Value {
    json!({
        "batch": problem.batch, "heads": problem.heads, "kv_heads": problem.kv_heads,
        "seq_q": problem.seq_q, "seq_kv": problem.seq_kv, "head_dim": problem.head_dim,
        "causal": problem.causal,
        "storage": problem.precision.storage().name(),
        "accumulate": problem.precision.accumulate().name(),
    })
}
