//! The load: GEMM in batches, as the energy protocol runs it.

use accelbench::measure::{self, Loaded, Session};
use accelbench_backends::{DeviceId, DeviceKind, Registry};
use accelbench_kernels::{Catalogue, Precision};
use std::time::{Duration, Instant};

const SHAPE: &str = "512x512x512";
/// Runs of a batch take about so long.
const BATCH: Duration = Duration::from_millis(50);
/// Batches of a segment: so short that whatever else the machine does hits both of a pair alike.
const BATCHES: u32 = 4;

/// A program on a device, and how many of its runs make a batch.
pub(crate) struct Load {
    session: Session,
    loaded: Loaded,
    runs: usize,
}

impl Load {
    pub(crate) fn new(registry: &Registry, device: &DeviceId) -> Result<Self, String> {
        let session = Session::new(registry.open(device).map_err(|error| error.to_string())?);
        let case = Catalogue::builtin().case("gemm", Precision::F32, SHAPE).map_err(|error| error.0)?;
        let plan = case.plans(session.device().caps()).into_iter().next().ok_or("it has no plan for GEMM")?;
        let loaded =
            session.load(&plan.program(), &measure::inputs(&*case, 1), None).map_err(|error| error.to_string())?;
        let mut load = Self { session, loaded, runs: 1 };
        load.batch();
        let start = Instant::now();
        load.batch();
        load.runs = (BATCH.as_secs_f64() / start.elapsed().as_secs_f64()).ceil() as usize;
        Ok(load)
    }

    pub(crate) fn kind(&self) -> DeviceKind {
        self.session.device().caps().kind
    }

    /// The time of a segment's work.
    pub(crate) fn segment(&self) -> Duration {
        let start = Instant::now();
        (0..BATCHES).for_each(|_| self.batch());
        start.elapsed()
    }

    fn batch(&self) {
        self.session.run_bare(&self.loaded, self.runs).expect("the device runs what it ran before");
    }
}
