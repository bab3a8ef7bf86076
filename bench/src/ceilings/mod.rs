//! Ceilings: what each device reaches at best, which is what rows are held against.
//!
//! A probing is a list of [`Step`]s, each taken by the device's worker process: one that crashes or hangs costs itself
//! and nothing else. Probings are kept from run to run (see [`Place`]).

mod cache;
mod energy;
mod latency;
mod merge;
mod race;
mod sets;
mod site;
mod steps;
mod theoretical;
mod transfers;

pub use cache::{FOLDER_VARIABLE, Place, cache_folder, write_whole};
pub use energy::{PointRequest, energy, is_known as energy_known, take_point};
pub use merge::larger;
pub use site::take;
pub use steps::{Step, seconds};

use crate::worker::{Failure, Workers};
use accelbench_backends::DeviceId;
use accelbench_kernels::Profile;
use accelbench_reports::{Ceilings, Missing};
use std::time::{Duration, Instant};

/// A step may take so much longer than it is given, to compile and to verify, before it is taken for hung.
const PATIENCE: f64 = 20.0;

/// After more failures than these, the rest is left out.
const FAILURES: u32 = 2;

/// The user ended the run.
#[derive(Debug)]
pub struct Stopped;

/// A probing, and how many of its steps failed.
#[derive(Clone, Debug)]
pub struct Probing {
    /// What was found.
    pub ceilings: Ceilings,
    /// Steps in which the worker crashed, hung, or could not open the device.
    pub failures: u32,
}

/// Probes a device with the time of a profile; `wanted` chooses among the steps. Whatever fails is noted as missing.
///
/// # Errors
/// [`Stopped`] by the user.
pub fn probe(
    workers: &mut Workers<'_>,
    device: &DeviceId,
    profile: Profile,
    wanted: impl Fn(Step) -> bool,
) -> Result<Probing, Stopped> {
    let mut ceilings = Ceilings {
        device: device.to_string(),
        probed: jiff::Timestamp::now().to_string(),
        profile: profile.name().to_owned(),
        ..Ceilings::default()
    };
    let mut failures = 0;
    let mut spent = 0.0;
    let mut given_up: Option<String> = None;
    for (step, seconds) in steps::of(profile).filter(|(step, _)| wanted(*step)) {
        let mut miss = |reason: String| ceilings.missing.push(Missing { what: step.to_string(), reason });
        if let Some(reason) = &given_up {
            miss(reason.clone());
            continue;
        }
        if spent >= steps::seconds(profile) {
            miss(format!("the {spent:.0} s of the {} profile for probing are used up", profile.name()));
            continue;
        }
        let (timeout, stopped) = (workers.timeout.min(Duration::from_secs_f64(seconds + PATIENCE)), workers.stopped);
        let start = Instant::now();
        let found = workers.on(device).and_then(|worker| {
            // Opening is no part of the probing.
            let start = Instant::now();
            let found = worker.probe(step, seconds, timeout, stopped)?;
            Ok((found, start.elapsed()))
        });
        match found {
            Ok(((found, device_lost), taken)) => {
                spent += taken.as_secs_f64();
                merge::add(&mut ceilings, found);
                if device_lost {
                    workers.dismiss();
                }
            }
            Err(Failure::Interrupted) => return Err(Stopped),
            Err(failure) => {
                spent += start.elapsed().as_secs_f64();
                failures += 1;
                // A device that does not open now does not open for the next step.
                let over = matches!(failure, Failure::Closed(_)) || failures > FAILURES;
                let reason = failure.to_string();
                workers.dismiss();
                given_up = over.then(|| reason.clone());
                miss(reason);
            }
        }
    }
    Ok(Probing { ceilings, failures })
}
