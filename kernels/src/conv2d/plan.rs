//! The ways to compute a convolution: one typed plan a family, each with its validity, geometry and program.

use super::single::{BINDINGS, single};
use super::{BandsPlan, ConvProblem, DepthwisePlan, DirectPlan, PackedPlan, TiledPlan};
use crate::{Plan, Program, Unit};
use accelbench_backends::{Caps, KernelSpec, LibraryCall, Source};
use serde_json::json;

/// One way to compute a convolution.
#[derive(Clone, Debug, PartialEq)]
pub enum ConvPlan {
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

/// A plan together with the problem and the device that it is for.
pub(crate) struct BoundPlan {
    pub(crate) plan: ConvPlan,
    pub(crate) problem: ConvProblem,
    pub(crate) caps: Caps,
}

/// Filters of a channel of its own that are no use to compute as a product.
const FEW_FILTERS: u32 = 4;

/// All valid plans for a problem on such a device, the preferred one first.
pub fn candidates(problem: &ConvProblem, caps: &Caps) -> Vec<ConvPlan> {
    if problem.precision.missing(caps).is_some() {
        return Vec::new();
    }
    let mut plans: Vec<ConvPlan> = caps.libraries("conv2d").iter().cloned().map(ConvPlan::Library).collect();
    let bands = BandsPlan::candidates(problem, caps).into_iter().map(ConvPlan::Bands);
    let depthwise = bands.chain(DepthwisePlan::candidates(problem, caps).into_iter().map(ConvPlan::Depthwise));
    let packed = PackedPlan::candidates(problem, caps).into_iter().map(ConvPlan::Packed);
    let direct = DirectPlan::candidates(problem, caps).into_iter().map(ConvPlan::Direct);
    let tiled = TiledPlan::candidates(problem, caps).into_iter().map(ConvPlan::Tiled);
    let products = packed.chain(direct).chain(tiled);
    // A channel with many filters is a product that is worth staging.
    if problem.group_k() <= FEW_FILTERS {
        plans.extend(depthwise.chain(products));
    } else {
        plans.extend(products.chain(depthwise));
    }
    plans
}

impl Plan for BoundPlan {
    fn variant(&self) -> String {
        match &self.plan {
            ConvPlan::Tiled(_) => "tiled".into(),
            ConvPlan::Packed(_) => "packed".into(),
            ConvPlan::Direct(_) => "direct".into(),
            ConvPlan::Bands(_) | ConvPlan::Depthwise(_) => "depthwise".into(),
            ConvPlan::Library(name) => name.clone(),
        }
    }

    fn name(&self) -> String {
        match &self.plan {
            ConvPlan::Tiled(plan) => plan.name(),
            ConvPlan::Packed(plan) => plan.name(),
            ConvPlan::Direct(plan) => plan.name(),
            ConvPlan::Bands(plan) => plan.name(),
            ConvPlan::Depthwise(plan) => plan.name(),
            ConvPlan::Library(name) => name.clone(),
        }
    }

    fn program(&self) -> Program {
        match &self.plan {
            ConvPlan::Tiled(plan) => plan.program(&self.problem, &self.caps),
            ConvPlan::Packed(plan) => plan.program(&self.problem, &self.caps),
            ConvPlan::Direct(plan) => plan.program(&self.problem, &self.caps),
            ConvPlan::Bands(plan) => plan.program(&self.problem, &self.caps),
            ConvPlan::Depthwise(plan) => plan.program(&self.problem, &self.caps),
            ConvPlan::Library(name) => library(name, &self.problem),
        }
    }

    fn unit(&self) -> Unit {
        match &self.plan {
            ConvPlan::Library(_) => Unit::Any,
            ConvPlan::Tiled(_)
            | ConvPlan::Packed(_)
            | ConvPlan::Direct(_)
            | ConvPlan::Bands(_)
            | ConvPlan::Depthwise(_) => Unit::Vector,
        }
    }
}

/// The program that calls the library `name`: prepared with all sizes, so that a launch needs no parameter.
fn library(name: &str, problem: &ConvProblem) -> Program {
    let arguments = json!({
        "n": problem.n, "c": problem.c, "h": problem.h, "w": problem.w,
        "k": problem.k, "r": problem.r, "s": problem.s,
        "stride_h": problem.stride[0], "stride_w": problem.stride[1],
        "pad_h": problem.pad[0], "pad_w": problem.pad[1],
        "dilation_h": problem.dilation[0], "dilation_w": problem.dilation[1],
        "groups": problem.groups, "layout": problem.layout.name(),
        "storage": problem.precision.storage().name(),
        "accumulate": problem.precision.accumulate().name(),
    });
    let kernel = KernelSpec {
        source: Source::Library(LibraryCall {
            library: name.to_owned(),
            function: "conv2d".to_owned(),
            arguments: arguments.as_object().cloned().unwrap_or_default(),
        }),
        entry: "conv2d".to_owned(),
        defines: Vec::new(),
        group: [1, 1, 1],
        shared_bytes: 0,
        bindings: BINDINGS.to_vec(),
        params_bytes: 0,
    };
    single(problem, kernel, [0, 1, 2], [1, 1, 1])
}
