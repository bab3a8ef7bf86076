//! Measuring one case on one open device: load, warm up, sample, and hold the output against the truth.

mod effort;
mod inputs;
mod sampling;
mod session;
mod turns;

pub use effort::Effort;
pub use inputs::Inputs;
pub use sampling::Samples;
pub use session::{Loaded, Session};
pub use turns::{Lane, Part, Turns, take_turns};

use crate::stats;
use accelbench_backends::Error;
use accelbench_kernels::fill::Fill;
use accelbench_kernels::{Case, Plan, Tensor, Unit, Verdict};
use accelbench_reports::{CacheMode, Rate, Status, Timing, Verify, Work};

/// How a case is measured.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Of the inputs.
    pub seed: u64,
    /// What the inputs hold.
    pub fill: Fill,
    /// Warm or cold caches.
    pub cache: CacheMode,
    /// How long to warm up and to sample.
    pub effort: Effort,
}

/// What became of a case: the parts of its row that only the device's side knows.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Why it is not ok; nothing where it is.
    pub fault: Option<(Status, String)>,
    /// How the output was checked.
    pub verify: Option<Verify>,
    /// The times.
    pub timing: Option<Timing>,
    /// The rates.
    pub rate: Option<Rate>,
    /// SHA-256 of the kernels' sources.
    pub source_sha256: Option<String>,
    /// The plan in one word.
    pub plan: Option<String>,
    /// What a library that had a choice computed with.
    pub algorithm: Option<String>,
    /// The units that it computes on.
    pub unit: Option<Unit>,
    /// Nothing more can be run on this device in this process.
    pub device_lost: bool,
}

impl Outcome {
    fn fault(status: Status, reason: impl Into<String>) -> Self {
        Self { fault: Some((status, reason.into())), ..Self::default() }
    }
}

impl From<Error> for Outcome {
    fn from(error: Error) -> Self {
        let status = match error {
            Error::Unsupported { .. } => Status::Unsupported,
            Error::OutOfMemory { .. } | Error::LimitExceeded { .. } => Status::Skipped,
            Error::Timeout { .. } => Status::Timeout,
            _ => Status::Failed,
        };
        Self {
            device_lost: matches!(error, Error::DeviceLost { .. } | Error::Timeout { .. }),
            ..Self::fault(status, error.to_string())
        }
    }
}

/// Seeded random inputs for a case.
pub fn inputs(case: &dyn Case, seed: u64) -> Vec<Tensor> {
    filled(case, Fill::Normal, seed)
}

/// Inputs for a case, filled so.
pub fn filled(case: &dyn Case, fill: Fill, seed: u64) -> Vec<Tensor> {
    case.inputs().iter().enumerate().map(|(index, spec)| fill.tensor(spec, seed, index as u64)).collect()
}

/// Runs a plan once into a poisoned output and checks every promise about the output.
///
/// # Errors
/// The device's.
pub fn verify_once(session: &Session, case: &dyn Case, plan: &dyn Plan, inputs: &[Tensor]) -> Result<Verdict, Error> {
    let loaded = session.load(&plan.program(), inputs, None)?;
    session.run_batch(&loaded, 1)?;
    let output = session.output(&loaded, case)?;
    Ok(case.verify(inputs, &output))
}

/// Measures a plan. Every sample is preceded by poisoning the output, outside the timed span, so that what is checked
/// in the end was written by the last timed runs.
pub fn measure(session: &Session, case: &dyn Case, plan: &dyn Plan, settings: &Settings) -> Outcome {
    measure_on(session, case, plan, settings, || filled(case, settings.fill, settings.seed))
}

/// As [`measure`], with inputs that were made before, or are made when it is known that they fit.
pub fn measure_on<I: AsRef<[Tensor]>>(
    session: &Session,
    case: &dyn Case,
    plan: &dyn Plan,
    settings: &Settings,
    inputs: impl FnOnce() -> I,
) -> Outcome {
    let program = plan.program();
    let outcome = match session.too_large(&program, 0) {
        Some(reason) => Outcome::fault(Status::Skipped, reason),
        None => measure_loaded(session, case, &program, inputs().as_ref(), settings).unwrap_or_else(Outcome::from),
    };
    Outcome {
        source_sha256: Some(program.source_sha256()),
        plan: Some(plan.name()),
        unit: Some(plan.unit()),
        ..outcome
    }
}

fn measure_loaded(
    session: &Session,
    case: &dyn Case,
    program: &accelbench_kernels::Program,
    inputs: &[Tensor],
    settings: &Settings,
) -> Result<Outcome, Error> {
    let loaded = session.load(program, inputs, Some(settings.cache))?;
    let algorithm = loaded.algorithm();
    let samples = sampling::sample(session, &loaded, &settings.effort)?;
    let output = session.output(&loaded, case)?;
    drop(loaded);
    let verdict = case.verify(inputs, &output);
    let verify = Some(Verify {
        method: verdict.method.to_owned(),
        checked: verdict.checked,
        max_error: verdict.max_error.is_finite().then_some(verdict.max_error),
        bound: verdict.bound,
    });
    if !verdict.ok {
        let reason = format!("{} (error {:e}, bound {:e})", verdict.worst, verdict.max_error, verdict.bound);
        return Ok(Outcome { verify, algorithm, ..Outcome::fault(Status::Wrong, reason) });
    }
    let work = case.work();
    let (Some(median), Some(interval)) = (stats::median(&samples.ns), stats::median_interval(&samples.ns)) else {
        return Ok(Outcome { verify, algorithm, ..Outcome::fault(Status::Failed, "no sample was taken") });
    };
    Ok(Outcome {
        verify,
        algorithm,
        rate: Some(Rate { flop_per_s: work.flop / (median * 1e-9), bytes_per_s: work.bytes / (median * 1e-9) }),
        timing: Some(Timing {
            clock: samples.clock.name().to_owned(),
            cache: settings.cache,
            batch: samples.batch,
            warmup_runs: samples.warmup_runs,
            steady: samples.steady,
            median_ns: median,
            ci95_ns: interval,
            samples_ns: samples.ns,
        }),
        ..Outcome::default()
    })
}

/// A case's work as a row states it.
pub fn work(case: &dyn Case) -> Work {
    let work = case.work();
    Work { flop: work.flop, bytes: work.bytes }
}
