//! Who takes turns in a case.

use super::Task;
use crate::measure::Part;
use crate::tune::{Best, Known};
use crate::worker::unit;
use accelbench_backends::{DeviceId, DeviceInfo, DeviceKind};
use accelbench_kernels::{Case, Catalogue, Plan};
use accelbench_reports::ratios::{LaneKind, RatioLane};
use accelbench_reports::{PlanSource, Status, Unit};

/// The backend whose device is the processor itself.
const HOST: &str = "host";

/// One that is to take turns, by a plan on a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Entrant {
    /// What it stands for.
    pub kind: LaneKind,
    /// Where it runs.
    pub device: DeviceId,
    /// The kernel family or library.
    pub variant: String,
    /// The plan's name.
    pub plan: String,
    /// Where the plan was known from; only of the program's own kernels.
    pub source: Option<PlanSource>,
    /// What of the plan has turns.
    pub part: Part,
    /// The units that it computes on.
    pub unit: Unit,
}

impl Entrant {
    fn new(kind: LaneKind, device: &DeviceInfo, plan: &dyn Plan, source: Option<PlanSource>) -> Self {
        Self {
            kind,
            device: device.id.clone(),
            variant: plan.variant(),
            plan: plan.name(),
            source,
            part: if kind == LaneKind::OwnKernel { Part::Longest } else { Part::Whole },
            unit: unit(plan.unit()),
        }
    }

    /// Its lane before its first turn, timed by its device's clock.
    pub fn lane(&self, clock: &str) -> RatioLane {
        RatioLane {
            kind: self.kind,
            device: self.device.to_string(),
            variant: self.variant.clone(),
            plan: Some(self.plan.clone()),
            plan_source: self.source,
            unit: self.unit,
            clock: clock.to_owned(),
            status: Status::Ok,
            reason: None,
            blocks_ns: Vec::new(),
            figures: None,
        }
    }
}

/// Who takes turns in a case on a device: the best plan that is known, its computing launch alone, the default plan, the
/// libraries, and beside a device that is the processor by another way, what runs on the processor itself.
///
/// # Errors
/// Why the device can't compute the case.
pub fn entrants(
    catalogue: &Catalogue,
    devices: &[DeviceInfo],
    known: &Known,
    task: &Task,
) -> Result<Vec<Entrant>, String> {
    let id = &task.id;
    let device = devices.iter().find(|device| device.id == id.device).ok_or("the device is not there")?;
    let case = catalogue.case(&id.op, id.precision, &id.shape).map_err(|error| error.0)?;
    if let Some(reason) = case.unsupported(&device.caps) {
        return Err(reason);
    }
    let (own, libraries) = plans(&*case, device);
    let mut entrants = Vec::new();
    let default = own.into_iter().next();
    let best = known.best(device, &*case).filter(|best| !device.caps.external.contains_key(&best.variant));
    let better = best.and_then(|Best { plan, source, .. }| Some((case.plan(&device.caps, &plan)?, source)));
    let (best, beaten) = match (better, default) {
        (Some((best, source)), Some(default)) if best.name() != default.name() => (Some((best, source)), Some(default)),
        (Some(better), _) => (Some(better), None),
        (None, default) => (default.map(|default| (default, PlanSource::Default)), None),
    };
    if let Some((best, source)) = best {
        entrants.push(Entrant::new(LaneKind::Own, device, &*best, Some(source)));
        if best.program().launches.len() > 1 {
            entrants.push(Entrant::new(LaneKind::OwnKernel, device, &*best, Some(source)));
        }
    }
    entrants.extend(beaten.map(|plan| Entrant::new(LaneKind::OwnDefault, device, &*plan, Some(PlanSource::Default))));
    entrants.extend(libraries.iter().map(|plan| Entrant::new(LaneKind::Library, device, &**plan, None)));
    let host = devices.iter().find(|other| other.id.backend == HOST);
    if let Some(host) = host.filter(|host| device.caps.kind == DeviceKind::Cpu && host.id != device.id) {
        let (own, libraries) = plans(&*case, host);
        let own = own.first().map(|plan| Entrant::new(LaneKind::HostKernel, host, &**plan, Some(PlanSource::Default)));
        entrants.extend(own);
        entrants.extend(libraries.iter().map(|plan| Entrant::new(LaneKind::Library, host, &**plan, None)));
    }
    Ok(entrants)
}

type Plans = Vec<Box<dyn Plan>>;

/// A device's plans: the program's own, the preferred one first, and those of libraries, one each.
fn plans(case: &dyn Case, device: &DeviceInfo) -> (Plans, Plans) {
    let caps = &device.caps;
    let (libraries, own): (Plans, Plans) =
        case.plans(caps).into_iter().partition(|plan| caps.external.contains_key(&plan.variant()));
    let mut once: Plans = Vec::new();
    for plan in libraries {
        if once.iter().all(|known| known.variant() != plan.variant()) {
            once.push(plan);
        }
    }
    (own, once)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ratios::{Choice, tasks};
    use accelbench_backends::Registry;

    /// Kinds, devices and variants of a small product's entrants on the device at this place.
    fn of(devices: &[DeviceInfo], place: usize) -> Vec<(LaneKind, String, String)> {
        let catalogue = Catalogue::builtin();
        let (operation, fields) = catalogue.parse_shape("gemm:m=64,n=64,k=64").unwrap();
        let choice = Choice {
            own_shapes: vec![(operation.name().to_owned(), fields)],
            precisions: vec![accelbench_kernels::Precision::F32],
            devices: vec![devices[place].id.to_string()],
            ..Choice::default()
        };
        let task = tasks(&catalogue, devices, &choice).unwrap().remove(0);
        let entrants = entrants(&catalogue, devices, &Known::nothing(), &task).unwrap();
        entrants.into_iter().map(|entrant| (entrant.kind, entrant.device.to_string(), entrant.variant)).collect()
    }

    #[test]
    fn libraries_stand_beside_the_own_kernel_and_the_host_beside_another_way_to_it() {
        let mut host = Registry::builtin().open(&DeviceId::new("host", 0)).unwrap().info().clone();
        let own = host.caps.libraries["gemm"][0].clone();
        host.caps.external = [("fast".to_owned(), "Fast 1.0".to_owned())].into();
        host.caps.library_forms.clear();
        host.caps.libraries.insert("gemm".to_owned(), vec![own.clone(), "fast".to_owned()]);
        let other = DeviceInfo { id: DeviceId::new("other", 0), ..host.clone() };
        let mut gpu = DeviceInfo { id: DeviceId::new("other", 1), ..host.clone() };
        gpu.caps.kind = DeviceKind::Gpu;
        let devices = [host, other, gpu];
        let line = |kind, device: &str, variant: &str| (kind, device.to_owned(), variant.to_owned());
        assert_eq!(of(&devices, 0), [line(LaneKind::Own, "host:0", &own), line(LaneKind::Library, "host:0", "fast")]);
        assert_eq!(
            of(&devices, 1),
            [
                line(LaneKind::Own, "other:0", &own),
                line(LaneKind::Library, "other:0", "fast"),
                line(LaneKind::HostKernel, "host:0", &own),
                line(LaneKind::Library, "host:0", "fast"),
            ]
        );
        assert_eq!(of(&devices, 2).len(), 2, "a GPU is no host");
    }
}
