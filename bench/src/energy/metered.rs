//! A worker's device under its meter: found and probed once, then asked for the energy of case after case.

use super::live::{Live, Sampler};
use super::protocol::{Base, Ended};
use super::{Effort, Mode, energy, measure, prepare, serving};
use crate::measure::Session;
use accelbench_backends::Error;
use accelbench_backends::meters::{Finding, MeterInfo};
use accelbench_kernels::{Case, Plan, Tensor};
use accelbench_reports::{CacheMode, Energy, EnergyStatus, Work};

/// A device under its meter.
pub struct Metered {
    sampler: Sampler,
    info: MeterInfo,
    effort: Effort,
    base: Result<Base, Ended>,
}

/// What a worker found out about its meter: the energy of every row where there is no meter to ask.
pub type Found = Result<Metered, Box<Energy>>;

impl Metered {
    /// Finds the device's meter, probes it, and measures the idle device. Before any load, `cold` says so.
    ///
    /// # Errors
    /// Why there is no meter, as each row will state it.
    pub fn find(session: &Session, findings: Vec<Finding>, mode: Mode, cold: bool) -> Found {
        let without = |reason: String| Box::new(Energy::without(EnergyStatus::Unavailable, reason));
        let effort = Effort::of(mode).ok_or_else(|| without("it was not asked for".to_owned()))?;
        let meter = serving::meter_for(session.device().info(), findings)?;
        let info = meter.info().clone();
        let kind = session.device().caps().kind;
        let sampler =
            Sampler::start(meter, kind).map_err(|error| without(format!("the meter can't be read: {error}")))?;
        let base = prepare(&mut Live::new(session, None, &sampler), &info, &effort);
        let base = base.map(|base| Base { cold_idle_w: base.cold_idle_w.filter(|_| cold), ..base });
        Ok(Self { sampler, info, effort, base })
    }

    /// The energy of a case's plan on these inputs. The output is held against the truth once more, after the windows.
    /// The flag says that the device went away.
    pub fn energy(
        &self,
        session: &Session,
        case: &dyn Case,
        plan: &dyn Plan,
        inputs: impl FnOnce() -> Vec<Tensor>,
    ) -> (Energy, bool) {
        let work = case.work();
        let work = Work { flop: work.flop, bytes: work.bytes };
        let base = match &self.base {
            Ok(base) => base,
            Err(ended) => return (energy(&self.info, &Base::default(), work, Err(ended.clone())), false),
        };
        let (measured, lost) = match self.windows(session, case, plan, &inputs(), base) {
            Ok(done) => done,
            Err(error) => {
                let lost = matches!(error, Error::DeviceLost { .. } | Error::Timeout { .. });
                (Err(Ended::failed(error.to_string())), lost)
            }
        };
        (energy(&self.info, base, work, measured), lost)
    }

    fn windows(
        &self,
        session: &Session,
        case: &dyn Case,
        plan: &dyn Plan,
        inputs: &[Tensor],
        base: &Base,
    ) -> Result<(Result<super::Measured, Ended>, bool), Error> {
        let loaded = session.load(&plan.program(), inputs, Some(CacheMode::Warm))?;
        session.poison(&loaded)?;
        let mut live = Live::new(session, Some(&loaded), &self.sampler);
        let measured = measure(&mut live, &self.info, &self.effort, base);
        let lost = live.lost;
        drop(live);
        if lost || measured.is_err() {
            return Ok((measured, lost));
        }
        let output = session.output(&loaded, case)?;
        let verdict = case.verify(inputs, &output);
        let measured = if verdict.ok {
            measured
        } else {
            Err(Ended::failed(format!("the output after the windows is wrong: {}", verdict.worst)))
        };
        Ok((measured, lost))
    }
}
