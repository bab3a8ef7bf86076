//! What a probe says of drivers that are missing, broken, too old, without devices, or whole.

use crate::Check;
use crate::fakes::Fakes;
use accelbench_backends::{AbsenceReason, Presence, Registry};

/// Prints what the probe found.
pub(crate) fn child() {
    let presence = Registry::builtin().probe("cuda").expect("the backend is built in");
    println!("{}", serde_json::to_string(&presence).expect("a presence is plain data"));
}

pub(crate) fn trials() -> Vec<Check> {
    let mut trials: Vec<Check> = vec![
        ("probe/a whole driver".into(), Box::new(whole)),
        ("probe/three devices, one too old".into(), Box::new(several)),
    ];
    for case in ABSENT {
        trials.push((format!("probe/{}", case.name), Box::new(|fakes| case.check(fakes))));
    }
    trials
}

pub(crate) fn probe(fakes: &Fakes, variant: &str, environment: &[(&str, &str)]) -> Result<Presence, String> {
    let (printed, _) = fakes.run(variant, "probe", environment)?;
    serde_json::from_str(&printed).map_err(|error| format!("{error}: {printed}"))
}

struct Absent {
    name: &'static str,
    variant: &'static str,
    environment: &'static [(&'static str, &'static str)],
    reason: AbsenceReason,
    /// Part of the detail.
    says: &'static str,
}

const FAIL: &str = "ACCELBENCH_FAKE_FAIL";

const ABSENT: &[Absent] = &[
    Absent {
        name: "no driver",
        variant: "nothing",
        environment: &[],
        reason: AbsenceReason::LoaderMissing,
        says: "No such file",
    },
    Absent {
        name: "a driver that is no library",
        variant: "driver-is-broken",
        environment: &[],
        reason: AbsenceReason::LoaderMissing,
        says: "file too short",
    },
    Absent {
        name: "a driver that lacks a function",
        variant: "driver-lacks-a-function",
        environment: &[],
        reason: AbsenceReason::DriverTooOld,
        says: "cuMemcpyAsync",
    },
    Absent {
        name: "no device",
        variant: "whole",
        environment: &[("ACCELBENCH_FAKE_DEVICES", "")],
        reason: AbsenceReason::NoDevice,
        says: "CUDA_ERROR_NO_DEVICE (100)",
    },
    Absent {
        name: "only devices that are too old",
        variant: "whole",
        environment: &[("ACCELBENCH_FAKE_DEVICES", "6.1,5.2")],
        reason: AbsenceReason::NoDevice,
        says: "cuda:1 has compute capability 5.2",
    },
    Absent {
        name: "a driver that does not match its kernel module",
        variant: "whole",
        environment: &[(FAIL, "cuInit=803@1")],
        reason: AbsenceReason::DriverTooOld,
        says: "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH (803)",
    },
    Absent {
        name: "a stub of the toolkit",
        variant: "whole",
        environment: &[(FAIL, "cuInit=34@1")],
        reason: AbsenceReason::LoaderMissing,
        says: "(34)",
    },
    Absent {
        name: "a driver that fails for a reason of its own",
        variant: "whole",
        environment: &[(FAIL, "cuInit=999@1")],
        reason: AbsenceReason::ProbeFailed,
        says: "an unknown error (999)",
    },
    Absent {
        name: "a driver that fails after its start",
        variant: "whole",
        environment: &[(FAIL, "cuDeviceGetCount=304@1")],
        reason: AbsenceReason::ProbeFailed,
        says: "cuDeviceGetCount failed with an unknown error (304)",
    },
    Absent {
        name: "NVRTC that is no library",
        variant: "nvrtc-is-broken",
        environment: &[],
        reason: AbsenceReason::Incomplete,
        says: "NVRTC was not found",
    },
    Absent {
        name: "NVRTC that lacks a function",
        variant: "nvrtc-lacks-a-function",
        environment: &[],
        reason: AbsenceReason::Incomplete,
        says: "nvrtcGetCUBIN",
    },
    Absent {
        name: "switched off by the user",
        variant: "whole",
        environment: &[("ACCELBENCH_DISABLE", "opencl, cuda")],
        reason: AbsenceReason::Disabled,
        says: "ACCELBENCH_DISABLE",
    },
];

impl Absent {
    fn check(&self, fakes: &Fakes) -> Result<(), String> {
        // An empty folder does not hide the driver of a machine that has one.
        if self.variant == "nothing" && std::path::Path::new("/proc/driver/nvidia").exists() {
            return Ok(());
        }
        match probe(fakes, self.variant, self.environment)? {
            Presence::Absent(absence)
                if absence.reason == self.reason && absence.detail.contains(self.says) && !absence.hint.is_empty() =>
            {
                Ok(())
            }
            other => Err(format!("{:?} with `{}` was expected, not {other:?}", self.reason, self.says)),
        }
    }
}

fn whole(fakes: &Fakes) -> Result<(), String> {
    let Presence::Present { api_version, devices, notes } = probe(fakes, "whole", &[])? else {
        return Err("the driver is there".into());
    };
    assert_eq!((api_version.as_str(), devices.len(), notes.len()), ("13.0", 1, 0));
    let device = &devices[0];
    assert_eq!(device.name, "accelbench fake GPU");
    assert_eq!(device.physical_id.pci.as_deref(), Some("0000:fa:00.0"));
    assert_eq!(device.physical_id.uuid.as_deref(), Some("00f1f2f3-f4f5-f6f7-f8f9-fafbfcfdfeff"));
    let caps = &device.caps;
    assert_eq!(caps.max_group, [1024, 1024, 64]);
    assert_eq!(caps.max_grid, [2_147_483_647, 65_535, 65_535]);
    assert_eq!((caps.local_bytes, caps.subgroup, caps.clock_mhz), (227 * 1024, Some((32, 32)), Some(1980)));
    assert_eq!(caps.facts["compute_capability"], "9.0");
    Ok(())
}

fn several(fakes: &Fakes) -> Result<(), String> {
    let Presence::Present { devices, notes, .. } =
        probe(fakes, "whole", &[("ACCELBENCH_FAKE_DEVICES", "6.1,8.0,9.0")])?
    else {
        return Err("two devices are new enough".into());
    };
    let ids: Vec<String> = devices.iter().map(|device| device.id.to_string()).collect();
    assert_eq!(ids, ["cuda:1", "cuda:2"]);
    assert_eq!(notes, ["cuda:0 has compute capability 6.1; 7.0 is the oldest supported"]);
    Ok(())
}
