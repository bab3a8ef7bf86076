//! Kernels that multiply matrices by sub-groups in OpenCL C, for GPUs that this machine need not have: a CPU's driver with
//! sub-groups compiles and runs them, and plays the instructions by functions that it has.
//!
//! Where no driver has such sub-groups, each test says `left out`; with `opencl:intel` in `ACCELBENCH_REQUIRE` it fails
//! instead.

use accelbench::measure::{self, Session};
use accelbench_backends::cooperative::{INSTRUCTIONS, Instruction};
use accelbench_backends::{Device, DeviceInfo, DeviceKind, Kernel, KernelSpec, Presence, Registry, Result, Source};
use accelbench_kernels::compare::Verdict;
use accelbench_kernels::{Case, Catalogue, Plan, Precision, probe};
use accelbench_tests::{of_inner, require};
use std::collections::BTreeSet;

const PLAYED: &str = include_str!("../backends/src/cooperative/played.cl");
/// Each lane reads what its neighbour was to read.
const MIXED_UP: &str = "#define intel_sub_group_shuffle(x, lane) intel_sub_group_shuffle(x, (lane) ^ 1)\n";
/// Every layout, with lines that start at multiples of 16 bytes and with others; more than a tile, and tiles that end
/// outside. Small: a processor plays some ten million sums a second.
const PRODUCTS: [&str; 9] = [
    "136x72x48-nn",
    "136x72x48-nt",
    "136x72x48-tn",
    "136x72x48-tt",
    "131x67x45-nn",
    "131x67x45-nt",
    "131x67x45-tn",
    "131x67x45-tt",
    "5x3x1-nn",
];

/// A CPU that says it is a GPU with an instruction.
struct Player {
    inner: Box<dyn Device>,
    info: DeviceInfo,
    /// What goes before each source.
    before: String,
}

impl Player {
    /// On the first device with such sub-groups.
    fn find(instruction: Instruction, before: &str) -> Option<Self> {
        let registry = Registry::builtin();
        let devices = match registry.probe("opencl") {
            Some(Presence::Present { devices, .. }) => devices,
            _ => Vec::new(),
        };
        let fits = |(least, most): (u32, u32)| (least..=most).contains(&instruction.subgroup);
        let Some(mut info) = devices.into_iter().find(|info| info.caps.subgroup.is_some_and(fits)) else {
            assert!(!require::requires("opencl:intel"), "no device has sub-groups of {}", instruction.subgroup);
            println!("left out: no device has sub-groups of {}", instruction.subgroup);
            return None;
        };
        let inner = registry.open(&info.id).expect("a device that was found opens");
        info.caps.kind = DeviceKind::Gpu;
        info.caps.compute_units = Some(1);
        info.caps.facts.insert("cooperative_matrix".to_owned(), instruction.to_string());
        Some(Self { inner, info, before: before.to_owned() })
    }
}

impl Device for Player {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    of_inner!(alloc upload download submit wait memory);

    fn compile(&self, spec: &KernelSpec) -> Result<Kernel> {
        let source = Source::OpenClC((self.before.clone() + &spec.source.text()).into());
        self.inner.compile(&KernelSpec { source, ..spec.clone() })
    }
}

/// The plans of a case that are for such instructions.
fn plans(case: &dyn Case, session: &Session) -> Vec<Box<dyn Plan>> {
    let mut plans = case.plans(session.device().caps());
    plans.retain(|plan| plan.variant() == "coop");
    plans
}

fn compute(session: &Session, case: &dyn Case, plan: &dyn Plan, seed: u64) -> Verdict {
    let place = format!("{} by {}", case.shape_text(), plan.name());
    measure::verify_once(session, case, plan, &measure::inputs(case, seed)).unwrap_or_else(|e| panic!("{place}: {e}"))
}

#[test]
fn products_are_right_by_every_instruction() {
    for (number, instruction) in INSTRUCTIONS.into_iter().enumerate() {
        let Some(player) = Player::find(instruction, PLAYED) else { continue };
        let session = Session::new(Box::new(player));
        let (catalogue, mut computed) = (Catalogue::builtin(), BTreeSet::new());
        // Every third one, each by another plan: every kernel is compiled for its own, for seconds.
        for (turn, text) in PRODUCTS.iter().skip(number % 3).step_by(3).enumerate() {
            let case = catalogue.case("gemm", Precision::F16, text).expect("a shape");
            let plans = plans(&*case, &session);
            let plan = &plans[(number + turn) % plans.len()];
            let verdict = compute(&session, &*case, &**plan, turn as u64);
            assert!(verdict.ok, "{instruction}, {text} by {}: {}", plan.name(), verdict.worst);
            computed.insert(plan.name());
        }
        assert!(computed.len() >= 2, "{instruction}: {computed:?}");
    }
}

#[test]
fn the_peak_of_every_instruction_is_of_right_sums() {
    for (number, instruction) in INSTRUCTIONS.into_iter().enumerate() {
        let Some(player) = Player::find(instruction, PLAYED) else { continue };
        let session = Session::new(Box::new(player));
        let case = probe::catalogue().case("matrix", Precision::F16, "3x32").expect("a shape");
        let plans = plans(&*case, &session);
        let plan = &plans[number % plans.len()];
        let verdict = compute(&session, &*case, &**plan, 1);
        assert!(verdict.ok, "{instruction} by {}: {}", plan.name(), verdict.worst);
    }
}

#[test]
fn lanes_that_are_mixed_up_show() {
    for instruction in INSTRUCTIONS {
        let Some(player) = Player::find(instruction, &(MIXED_UP.to_owned() + PLAYED)) else { continue };
        let session = Session::new(Box::new(player));
        let case = Catalogue::builtin().case("gemm", Precision::F16, "64x64x64").expect("a shape");
        let plans = plans(&*case, &session);
        let verdict = compute(&session, &*case, &**plans.last().expect("a plan"), 1);
        assert!(!verdict.ok, "{instruction}");
    }
}
