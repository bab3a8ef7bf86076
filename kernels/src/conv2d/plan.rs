//! The ways to compute a convolution: one typed plan a family, each with its validity, geometry and program.

use super::panels::packing_bytes;
use super::tiled::products;
use super::{BandsPlan, ConvProblem, DepthwisePlan, DirectPlan, MmaPlan, PackedPlan, PointwisePlan, TiledPlan};
use crate::bound::TypedPlan;
use crate::space::unique;
use crate::{Demand, Program, Unit, program};
use accelbench_backends::Caps;
use serde_json::{Value, json};

/// One way to compute a convolution.
#[derive(Clone, Debug, PartialEq)]
pub enum ConvPlan {
    /// A GEMM of the same tensors, multiplied by matrix units four warps at a time.
    Pointwise(PointwisePlan),
    /// An implicit GEMM: blocks of W and of X's windows staged in local memory, multiplied by matrix units.
    Mma(MmaPlan),
    /// An implicit GEMM: blocks of W and of X's windows staged in local memory, a register tile a work-item.
    Tiled(TiledPlan),
    /// An implicit GEMM: filters copied into panels once, windows block by block; one work-item a work-group.
    Packed(PackedPlan),
    /// An implicit GEMM: filters and windows read straight from memory, rows broadcast within a sub-group.
    Direct(DirectPlan),
    /// One channel a group, in vectors, a band of rows a work-item.
    Bands(BandsPlan),
    /// One channel a group, straight from memory.
    Depthwise(DepthwisePlan),
    /// A library that the device offers, by name.
    Library(String),
}

/// Filters of a channel of its own that are no use to compute as a product.
const FEW_FILTERS: u32 = 4;

/// All valid plans for a problem on such a device, the preferred one first.
pub fn candidates(problem: &ConvProblem, caps: &Caps) -> Vec<ConvPlan> {
    if problem.precision.missing(caps).is_some() {
        return Vec::new();
    }
    let libraries = program::libraries(problem, caps, &arguments(problem));
    let [mut plans, found] = libraries.map(|names| names.into_iter().map(ConvPlan::Library).collect::<Vec<_>>());
    let bands = BandsPlan::candidates(problem, caps).into_iter().map(ConvPlan::Bands);
    let depthwise = bands.chain(DepthwisePlan::candidates(problem, caps).into_iter().map(ConvPlan::Depthwise));
    let packed = PackedPlan::candidates(problem, caps).into_iter().map(ConvPlan::Packed);
    let direct = DirectPlan::candidates(problem, caps).into_iter().map(ConvPlan::Direct);
    let pointwise = PointwisePlan::candidates(problem, caps).into_iter().map(ConvPlan::Pointwise);
    let mma = MmaPlan::candidates(problem, caps).into_iter().map(ConvPlan::Mma);
    let tiled = TiledPlan::candidates(problem, caps).into_iter().map(ConvPlan::Tiled);
    let products = pointwise.chain(mma).chain(packed).chain(direct).chain(tiled);
    // A channel with many filters is a product that is worth staging.
    if problem.group_k() <= FEW_FILTERS {
        plans.extend(depthwise.chain(products));
    } else {
        plans.extend(products.chain(depthwise));
    }
    plans.extend(found);
    plans
}

/// All valid plans, those of [`candidates`] first.
pub fn space(problem: &ConvProblem, caps: &Caps) -> Vec<ConvPlan> {
    let pointwise = PointwisePlan::space(problem, caps).into_iter().map(ConvPlan::Pointwise);
    let mma = MmaPlan::space(problem, caps).into_iter().map(ConvPlan::Mma);
    let packed = PackedPlan::space(problem, caps).into_iter().map(ConvPlan::Packed);
    let direct = DirectPlan::space(problem, caps).into_iter().map(ConvPlan::Direct);
    let tiled = TiledPlan::space(problem, caps).into_iter().map(ConvPlan::Tiled);
    let bands = BandsPlan::space(problem, caps).into_iter().map(ConvPlan::Bands);
    let depthwise = DepthwisePlan::space(problem, caps).into_iter().map(ConvPlan::Depthwise);
    let more = pointwise.chain(mma).chain(packed).chain(direct).chain(tiled).chain(bands).chain(depthwise);
    unique(candidates(problem, caps).into_iter().chain(more))
}

impl TypedPlan<ConvProblem> for ConvPlan {
    fn variant(&self) -> String {
        match self {
            ConvPlan::Pointwise(_) => "wgmma".into(),
            ConvPlan::Mma(_) => "mma".into(),
            ConvPlan::Tiled(_) => "tiled".into(),
            ConvPlan::Packed(_) => "packed".into(),
            ConvPlan::Direct(_) => "direct".into(),
            ConvPlan::Bands(_) | ConvPlan::Depthwise(_) => "depthwise".into(),
            ConvPlan::Library(name) => name.clone(),
        }
    }

    fn name(&self) -> String {
        match self {
            ConvPlan::Pointwise(plan) => plan.name(),
            ConvPlan::Mma(plan) => plan.name(),
            ConvPlan::Tiled(plan) => plan.name(),
            ConvPlan::Packed(plan) => plan.name(),
            ConvPlan::Direct(plan) => plan.name(),
            ConvPlan::Bands(plan) => plan.name(),
            ConvPlan::Depthwise(plan) => plan.name(),
            ConvPlan::Library(name) => name.clone(),
        }
    }

    fn program(&self, problem: &ConvProblem, caps: &Caps) -> Program {
        match self {
            ConvPlan::Pointwise(plan) => plan.program(problem, caps),
            ConvPlan::Mma(plan) => plan.program(problem, caps),
            ConvPlan::Tiled(plan) => plan.program(problem, caps),
            ConvPlan::Packed(plan) => plan.program(problem, caps),
            ConvPlan::Direct(plan) => plan.program(problem, caps),
            ConvPlan::Bands(plan) => plan.program(problem, caps),
            ConvPlan::Depthwise(plan) => plan.program(problem, caps),
            ConvPlan::Library(name) => program::library(problem, name, arguments(problem)),
        }
    }

    fn unit(&self) -> Unit {
        match self {
            ConvPlan::Pointwise(_) | ConvPlan::Mma(_) => Unit::Matrix,
            ConvPlan::Library(_) => Unit::Any,
            ConvPlan::Tiled(_)
            | ConvPlan::Packed(_)
            | ConvPlan::Direct(_)
            | ConvPlan::Bands(_)
            | ConvPlan::Depthwise(_) => Unit::Vector,
        }
    }

    fn sizes(&self) -> Vec<u32> {
        match self {
            ConvPlan::Pointwise(plan) => plan.sizes(),
            ConvPlan::Mma(plan) => plan.0.sizes(),
            ConvPlan::Tiled(plan) => plan.0.sizes(),
            ConvPlan::Packed(plan) => plan.0.sizes(),
            ConvPlan::Direct(plan) => plan.0.sizes(),
            // Two kinds of one variant, far from each other.
            ConvPlan::Bands(plan) => vec![1, plan.width],
            ConvPlan::Depthwise(plan) => vec![1 << 16, plan.group],
            ConvPlan::Library(_) => Vec::new(),
        }
    }

    fn demand(&self, problem: &ConvProblem) -> Option<Demand> {
        let products = products(problem);
        match self {
            ConvPlan::Pointwise(plan) => Some(plan.demand()),
            ConvPlan::Mma(plan) => Some(plan.0.demand(&products)),
            ConvPlan::Tiled(plan) => Some(plan.0.demand(&products)),
            ConvPlan::Packed(PackedPlan(tile)) => {
                Some(Demand { other_bytes: packing_bytes(problem), ..tile.demand(&products) })
            }
            ConvPlan::Direct(plan) => Some(plan.0.demand(&products)),
            ConvPlan::Bands(plan) => Some(plan.demand(problem)),
            ConvPlan::Depthwise(plan) => Some(plan.demand(problem)),
            ConvPlan::Library(_) => None,
        }
    }
}

/// What a library's function is told.
fn arguments(problem: &ConvProblem) -> Value {
    json!({
        "n": problem.n, "c": problem.c, "h": problem.h, "w": problem.w,
        "k": problem.k, "r": problem.r, "s": problem.s,
        "stride_h": problem.stride[0], "stride_w": problem.stride[1],
        "pad_h": problem.pad[0], "pad_w": problem.pad[1],
        "dilation_h": problem.dilation[0], "dilation_w": problem.dilation[1],
        "groups": problem.groups, "layout": problem.layout.name(),
        "storage": problem.precision.storage().name(),
        "accumulate": problem.precision.accumulate().name(),
    })
}
