//! The worker's side: one step of a probing on the open device.

use super::race::{Racer, Trouble};
use super::{Step, latency, sets, theoretical, transfers};
use crate::App;
use crate::measure::Session;
use accelbench_backends::Caps;
use accelbench_kernels::{Case, Catalogue, Precision, probe};
use accelbench_reports::{Bandwidth, Ceilings, Missing, Peak, Unit};
use std::collections::BTreeMap;
use std::time::Instant;

/// Takes a step within about so many seconds. The flag says that nothing more can be run in this process.
pub fn take(app: App, session: &Session, step: Step, seconds: f64) -> (Ceilings, bool) {
    let caps = session.device().caps();
    let stream = stream_precision(caps);
    let mut site = Site { app, session, found: Ceilings::default(), device_lost: false };
    match step {
        Step::Vector(precision) => site.peak("fma", precision, Unit::Vector, step, seconds),
        Step::Matrix(precision) => site.peak("matrix", precision, Unit::Matrix, step, seconds),
        Step::Memory => {
            site.found.memory = site.bandwidths(sets::memory(stream, caps), step, seconds);
        }
        Step::Sweep => {
            site.found.sweep = site.bandwidths(sets::sweep(stream, caps, seconds), step, seconds);
        }
        Step::Transfers => {
            (site.found.transfers, site.found.missing) = transfers::probe(app, session.device(), seconds);
        }
        Step::Latency => {
            let smallest = cases(&(app.probes)(), "stream", stream, &[sets::smallest(stream, caps)]);
            let smallest = smallest.ok().and_then(|mut cases| cases.pop());
            (site.found.latency, site.found.missing) = latency::probe(session, smallest.as_deref(), seconds);
        }
        Step::Theoretical => (site.found.theoretical, site.found.missing) = theoretical::probe(session.device()),
    }
    (site.found, site.device_lost)
}

/// Where a step is taken.
struct Site<'a> {
    app: App,
    session: &'a Session,
    found: Ceilings,
    device_lost: bool,
}

impl Site<'_> {
    fn peak(&mut self, operation: &str, precision: Precision, unit: Unit, step: Step, seconds: f64) {
        let fields = probe::fields(operation, precision, self.session.device().caps());
        let cases = match cases(&(self.app.probes)(), operation, precision, &fields) {
            Ok(cases) => cases,
            Err(reason) => return self.miss(step.to_string(), reason),
        };
        // Vector units have one peak for each type that they compute in, whatever is stored.
        let dtype = match unit {
            Unit::Vector => precision.accumulate().name(),
            _ => precision.name(),
        };
        if let Some(reason) = precision.missing(self.session.device().caps()) {
            // What not every device is asked for is not missed where it lacks.
            if precision.is_common() {
                self.miss(step.to_string(), reason);
            }
            return;
        }
        match Racer::new(self.session).race(&cases, seconds) {
            Ok(best) => self.found.peaks.push(Peak {
                dtype: dtype.to_owned(),
                unit,
                flop_per_s: best.flop_per_s(),
                plan: best.plan,
                verify: best.verify,
            }),
            Err(trouble) => self.trouble(step.to_string(), trouble),
        }
    }

    fn bandwidths(&mut self, shapes: Vec<probe::Fields>, step: Step, seconds: f64) -> Vec<Bandwidth> {
        let catalogue = (self.app.probes)();
        let mut racer = Racer::new(self.session);
        let start = Instant::now();
        let mut found = Vec::new();
        let count = shapes.len();
        let stream = stream_precision(self.session.device().caps());
        for (index, fields) in shapes.into_iter().enumerate() {
            let kernel = fields.get("op").cloned().unwrap_or_default();
            let what = || format!("{step} by {kernel}");
            let left = seconds - start.elapsed().as_secs_f64();
            if left <= 0.0 && !found.is_empty() {
                self.miss(what(), "no time was left for it".to_owned());
                continue;
            }
            let cases = match cases(&catalogue, "stream", stream, std::slice::from_ref(&fields)) {
                Ok(cases) => cases,
                Err(reason) => {
                    self.miss(what(), reason);
                    continue;
                }
            };
            match racer.race(&cases, left / (count - index) as f64) {
                Ok(best) => found.push(Bandwidth {
                    dtype: stream.storage().name().to_owned(),
                    working_set_bytes: working_set(&*cases[0], &fields),
                    bytes_per_s: best.bytes_per_s(),
                    plan: best.plan,
                    verify: best.verify,
                    kernel,
                }),
                Err(trouble) => {
                    self.trouble(what(), trouble);
                    if self.device_lost {
                        break;
                    }
                }
            }
        }
        found
    }

    fn miss(&mut self, what: String, reason: String) {
        self.found.missing.push(Missing { what, reason });
    }

    fn trouble(&mut self, what: String, trouble: Trouble) {
        self.device_lost |= trouble.device_lost;
        self.miss(what, trouble.reason);
    }
}

/// The widest type that the device computes in: a software driver loads element by element, and wide ones move the most.
fn stream_precision(caps: &Caps) -> Precision {
    if Precision::F64.missing(caps).is_none() { Precision::F64 } else { Precision::F32 }
}

/// What one pass reads and writes.
fn working_set(case: &dyn Case, fields: &BTreeMap<String, String>) -> u64 {
    let passes: f64 = fields.get("passes").and_then(|text| text.parse().ok()).unwrap_or(1.0);
    (case.work().bytes / passes) as u64
}

fn cases(
    catalogue: &Catalogue,
    operation: &str,
    precision: Precision,
    shapes: &[probe::Fields],
) -> Result<Vec<Box<dyn Case>>, String> {
    let operation = catalogue.operation(operation).map_err(|_| format!("this program has no probe `{operation}`"))?;
    shapes.iter().map(|fields| operation.case(precision, fields).map_err(|error| error.0)).collect()
}
