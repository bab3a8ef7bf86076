//! English.

use super::{Columns, Names, Sentences, Texts, Titles};
use crate::report::{ClockKind, KnownBy, Verdict, What};
use crate::{CacheMode, Direction, EnergyStatus, HostMemory, Status, Unit};

pub(super) const TEXTS: Texts = Texts {
    tag: "en",
    none: "–",
    titles: Titles {
        report: "Accelerator comparison",
        standings: "Who is fastest",
        devices: "Devices",
        runs: "Runs",
        cases: "Cases side by side",
        rooflines: "Rooflines",
        shares: "Share of the ceiling",
        energy: "Energy",
        libraries: "Portable kernels against vendor libraries",
        scaling: "Rate over size",
        memory: "Memory and caches",
        transfers: "Transfers and latencies",
        chips: "One chip through its several APIs",
        support: "What is supported",
        environment: "Differences between the runs",
        rejected: "Files that were passed over",
        problems: "What is wrong in files that were taken",
        method: "How the comparison is made",
        limits: "What it can't say",
    },
    columns: Columns {
        place: "Place",
        device: "Device",
        api: "API",
        driver: "Driver",
        chip: "Chip",
        kind: "Kind",
        run: "Run",
        file: "File",
        started: "Started",
        host: "Host",
        version: "Version",
        command: "Command",
        op: "Operation",
        dtype: "Type",
        shape: "Shape",
        origin: "Origin",
        variant: "Variant",
        plan: "Plan",
        kernel: "Kernel",
        library: "Library",
        status: "Status",
        reason: "Reason",
        rate: "Rate",
        median: "Median",
        interval: "95% interval",
        samples: "Samples",
        verified: "Verification",
        clock: "Clock",
        cache: "Caches",
        best: "Best rate",
        behind_first: "The first is faster by",
        ratio: "Ratio",
        cases: "Cases",
        share: "Share",
        low: "Least",
        high: "Greatest",
        peak: "Peak",
        bandwidth: "Bandwidth",
        working_set: "Working set",
        direction: "Direction",
        memory: "Host memory",
        size: "Size",
        intensity: "FLOP per byte",
        energy: "Energy per FLOP",
        efficiency: "FLOP/s per watt",
        power: "Mean power",
        scope: "Meter includes",
        fact: "What",
        value: "Value",
    },
    names: Names {
        ops: &[("gemm", "GEMM"), ("conv2d", "convolution"), ("attention", "attention")],
        status,
        energy_status,
        clock,
        cache,
        unit,
        direction,
        host_memory,
        kinds: &[("cpu", "CPU"), ("gpu", "GPU"), ("accelerator", "accelerator")],
        verdict,
        what,
        known_by,
        not_run: "not run",
        smallest_upload: "smallest upload",
        smallest_download: "smallest download",
        launch: "launch, there and back",
        launches: "launches a second",
        theoretical: "theoretical",
        measured: "measured",
    },
    sentences: Sentences {
        alone: |of, first, cases| format!("{of}: only {first} has measured it, in {}.", count(cases, "case")),
        faster: |of, first, second, ratio, cases| {
            format!(
                "{of}: {first} is fastest, {ratio} the speed of {second}, by the geometric mean over {}.",
                count(cases, "common case")
            )
        },
        thriftier: |of, first, second, ratio, cases| {
            format!(
                "{of}: {first} needs least energy; {second} needs {ratio} as much, by the geometric mean over {}.",
                count(cases, "common case")
            )
        },
        even: |of, first, second, ratio, cases| {
            format!(
                "{of}: no difference between {first} and {second}: {ratio}, by the geometric mean over {}.",
                count(cases, "common case")
            )
        },
        apart: |of, first, second| {
            format!("{of}: {first} and {second} have no measured case in common, so neither is called faster.")
        },
        timed_by: |of, clock| format!("{of}, timed by {clock}"),
        conditions: |fill, cache, clock| format!("inputs {fill}, {cache}, timed by {clock}"),
        energy_conditions: |fill, cache, scope| format!("inputs {fill}, {cache}, meters that include: {scope}"),
        clocks_apart: "Times by a device's clock and by the host's are never compared: they are ranked apart.",
        nothing_common: "No two devices have a measured case in common, so nothing is compared here.",
        nothing_measured: "No row of these runs has a verified figure.",
        no_energy: "No energy was measured.",
        no_differences: "The runs don't differ in what they tell of themselves.",
        made_from: |runs, devices, measured, rows| {
            format!(
                "Made from {} with {}: {measured} of {} have verified figures.",
                count(runs, "run"),
                count(devices, "device"),
                count(rows, "row")
            )
        },
        left_out: |lines| format!("… and {lines} more"),
        cut: |bytes| {
            format!("Cut here: this text holds at most {bytes} bytes. The HTML page, CSV and JSON have it all.")
        },
        anonymous: "Names of devices, hosts and users were left out.",
        of_run: |what, run| format!("{what} (run {run})"),
        ratios: "A ratio above 1 says that the first one is better. In brackets: the widest range that both 95% intervals allow.",
    },
    method: &[
        "Only equal cases are compared: the same operation, types with their accumulation, shape, random inputs, cache mode and kind of clock. What one device has not measured is shown as missing, with its reason, and counts for nobody.",
        "Every figure is of a kernel whose output was checked against a computation in f64. Rows that are wrong, failed, crashed or timed out have no figure.",
        "A time is the median of its samples with a distribution-free 95% interval. A ratio's interval is the widest that both intervals allow; where it holds 1, that is called no difference.",
        "A summary is the geometric mean of the ratios over the cases that two devices have in common, and tells how many those are. The interval of a mean is the mean of the ends, which is wider than need be. Nothing is added up over operations or types: such a score would need weights, and none were declared.",
        "A device stands before another where the mean over their common cases is on its side against more opponents. Those with fewer than half as many cases as the one with most come last.",
        "In each case the fastest of a device's kernels and libraries stands for it. The share of the ceiling is its rate divided by the smaller of the measured arithmetic peak, and the measured bandwidth times the FLOP per byte.",
        "Energy is compared only where it was measured, by meters that include the same things. Estimates are shown as such and ranked nowhere.",
    ],
    limits: &[
        "The figures hold for these shapes, on these machines, with these drivers, clocks and power limits, at the time of the run.",
        "The intervals tell how far the medians of one run may lie from those of more samples like them. They don't tell how runs on another day, in another temperature or on another specimen would differ.",
        "Times by a device's clock leave out what it costs to launch a kernel; times by the host's clock include it.",
        "The work of an operation is counted by its definition, whatever a kernel really computes.",
    ],
};

fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Unsupported => "unsupported",
        Status::Skipped => "skipped",
        Status::Failed => "failed",
        Status::Wrong => "wrong",
        Status::Crashed => "crashed",
        Status::Timeout => "timed out",
    }
}

fn energy_status(status: EnergyStatus) -> &'static str {
    match status {
        EnergyStatus::Measured => "measured",
        EnergyStatus::Unavailable => "no meter",
        EnergyStatus::Contended => "device in other use",
        EnergyStatus::NonStationary => "did not settle",
        EnergyStatus::Suspect => "suspect",
        EnergyStatus::Failed => "failed",
        EnergyStatus::EstimatedCeiling => "estimated upper bound",
    }
}

fn clock(kind: ClockKind) -> &'static str {
    match kind {
        ClockKind::Device => "the device's clock",
        ClockKind::Host => "the host's clock",
    }
}

fn cache(cache: CacheMode) -> &'static str {
    match cache {
        CacheMode::Warm => "warm caches",
        CacheMode::Cold => "cold caches",
    }
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Vector => "vector",
        Unit::Matrix => "matrix",
        Unit::Any => "any",
    }
}

fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::ToDevice => "to the device",
        Direction::FromDevice => "from the device",
        Direction::Both => "both at once",
    }
}

fn host_memory(memory: HostMemory) -> &'static str {
    match memory {
        HostMemory::Pageable => "pageable",
        HostMemory::Pinned => "pinned",
    }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::NoDifference => "no difference",
    }
}

fn what(what: What) -> &'static str {
    match what {
        What::Driver => "driver",
        What::Clock => "clock as the driver states it, MHz",
        What::MeasuredClock => "clock as measured, MHz",
        What::ClockPolicy => "clock policy",
        What::PowerLimit => "power limit, W",
        What::SuiteVersion => "version of accelbench",
        What::GitCommit => "commit of accelbench",
        What::GitDirty => "sources changed since the commit",
        What::Profile => "profile",
        What::Cache => "caches",
        What::Seed => "seed of the inputs",
        What::Energy => "energy measurement",
        What::Hostname => "host",
        What::Os => "operating system",
        What::Kernel => "kernel of the system",
        What::Cpu => "processor",
        What::Threads => "logical processors",
        What::Memory => "main memory, bytes",
        What::Variable => "environment variable",
    }
}

fn known_by(known: KnownBy) -> &'static str {
    match known {
        KnownBy::PhysicalId => "the same address or UUID",
        KnownBy::HostProcessor => "the host's own processor",
    }
}
