//! The ways to compute an attention: one typed plan a family, each with its validity, geometry and program.

use super::{AttentionProblem, DirectPlan, PackedPlan, TiledPlan};
use crate::{BufferRole, BufferSpec, LaunchSpec, Plan, Program, Unit};
use accelbench_backends::{Access, Caps, KernelSpec, LibraryCall, Source};
use serde_json::json;

/// One way to compute an attention.
#[derive(Clone, Debug, PartialEq)]
pub enum AttentionPlan {
    /// Slices of Q, K and V staged in local memory, register tiles a work-item.
    Tiled(TiledPlan),
    /// Queries in the elements of vectors, register tiles of vectors, one work-item a work-group.
    Packed(PackedPlan),
    /// Rows in lanes, K and V read straight from memory and broadcast within a sub-group.
    Direct(DirectPlan),
    /// A library that the device offers, by name.
    Library(String),
}

/// A plan together with the problem and the device that it is for.
pub(crate) struct BoundPlan {
    pub(crate) plan: AttentionPlan,
    pub(crate) problem: AttentionProblem,
    pub(crate) caps: Caps,
}

/// All valid plans for a problem on such a device, the preferred one first.
pub fn candidates(problem: &AttentionProblem, caps: &Caps) -> Vec<AttentionPlan> {
    if problem.precision.missing(caps).is_some() {
        return Vec::new();
    }
    let mut plans: Vec<AttentionPlan> =
        caps.libraries("attention").iter().cloned().map(AttentionPlan::Library).collect();
    // Only a CPU has packed and direct ones, and they do better there: its local memory is ordinary memory, and a barrier ends a loop.
    plans.extend(PackedPlan::candidates(problem, caps).into_iter().map(AttentionPlan::Packed));
    plans.extend(DirectPlan::candidates(problem, caps).into_iter().map(AttentionPlan::Direct));
    plans.extend(TiledPlan::candidates(problem, caps).into_iter().map(AttentionPlan::Tiled));
    plans
}

impl Plan for BoundPlan {
    fn variant(&self) -> String {
        match &self.plan {
            AttentionPlan::Tiled(_) => "tiled".into(),
            AttentionPlan::Packed(_) => "packed".into(),
            AttentionPlan::Direct(_) => "direct".into(),
            AttentionPlan::Library(name) => name.clone(),
        }
    }

    fn name(&self) -> String {
        match &self.plan {
            AttentionPlan::Tiled(plan) => plan.name(),
            AttentionPlan::Packed(plan) => plan.name(),
            AttentionPlan::Direct(plan) => plan.name(),
            AttentionPlan::Library(name) => name.clone(),
        }
    }

    fn program(&self) -> Program {
        match &self.plan {
            AttentionPlan::Tiled(plan) => plan.program(&self.problem, &self.caps),
            AttentionPlan::Packed(plan) => plan.program(&self.problem, &self.caps),
            AttentionPlan::Direct(plan) => plan.program(&self.problem, &self.caps),
            AttentionPlan::Library(name) => library(name, &self.problem),
        }
    }

    fn unit(&self) -> Unit {
        match &self.plan {
            AttentionPlan::Tiled(_) | AttentionPlan::Packed(_) | AttentionPlan::Direct(_) => Unit::Vector,
            AttentionPlan::Library(_) => Unit::Any,
        }
    }
}

/// Q, K, V and O.
pub(super) const BINDINGS: [Access; 4] = [Access::Read, Access::Read, Access::Read, Access::Write];

/// The buffers of Q, K, V and O.
pub(super) fn buffers(problem: &AttentionProblem) -> Vec<BufferSpec> {
    let roles = [BufferRole::Input(0), BufferRole::Input(1), BufferRole::Input(2), BufferRole::Output];
    roles.into_iter().zip(problem.bytes()).map(|(role, bytes)| BufferSpec { role, bytes }).collect()
}

/// The program that calls the library `name`: prepared with all sizes, so that a launch needs no parameter.
fn library(name: &str, problem: &AttentionProblem) -> Program {
    let arguments = json!({
        "batch": problem.batch, "heads": problem.heads, "kv_heads": problem.kv_heads,
        "seq_q": problem.seq_q, "seq_kv": problem.seq_kv, "head_dim": problem.head_dim,
        "causal": problem.causal,
        "storage": problem.precision.storage().name(),
        "accumulate": problem.precision.accumulate().name(),
    });
    let kernel = KernelSpec {
        source: Source::Library(LibraryCall {
            library: name.to_owned(),
            function: "attention".to_owned(),
            arguments: arguments.as_object().cloned().unwrap_or_default(),
        }),
        entry: "attention".to_owned(),
        defines: Vec::new(),
        group: [1, 1, 1],
        shared_bytes: 0,
        bindings: BINDINGS.to_vec(),
        params_bytes: 0,
    };
    Program {
        buffers: buffers(problem),
        kernels: vec![kernel],
        launches: vec![LaunchSpec { kernel: 0, buffers: vec![0, 1, 2, 3], grid: [1, 1, 1], params: Vec::new() }],
    }
}
