//! From files to a report: rows are taken over once, in a form that many of them fit in memory.

use super::row::{Measured, RowEnergy, RowMeter, Verified};
use super::support::gravity;
use super::{
    AbsentBackend, Case, Cell, ClockKind, Ended, Rejected, Report, Row, Run, RunHost, SCHEMA, Subject, chips, energy,
    environment, label, library, roofline, scaling, share, standing, support,
};
use crate::inert::{Interner, Text, clean};
use crate::{
    BackendStatus, CacheMode, Ceilings, DeviceRow, EndStatus, Energy, EnergyStatus, ResultRow, RunFile, RunHeader,
    Status, check,
};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Problems of a file that are told; of the others, the number.
const PROBLEMS: usize = 5;

/// Takes runs, and makes a report of them.
#[derive(Debug)]
pub struct Builder {
    texts: Interner,
    report: Report,
    cases: HashMap<Key, usize>,
    run_ids: HashMap<Text, usize>,
    chips: chips::Known,
}

/// What makes cases equal.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    op: Text,
    dtype: Text,
    shape: Text,
    fill: Text,
    cold: bool,
}

/// Where a run's rows go.
struct Place<'a> {
    header: &'a RunHeader,
    /// The subject of each device that is one.
    subjects: HashMap<&'a str, usize>,
    /// What a device's operations have libraries for: device, operation, library.
    libraries: HashSet<(&'a str, &'a str, &'a str)>,
    /// How the run's inputs are made, for rows that don't say.
    fill: &'a str,
}

impl Builder {
    /// A report of nothing yet.
    pub fn new(title: Option<&str>) -> Self {
        let mut texts = Interner::default();
        let title = title.map(|title| texts.name(title));
        let report = Report { schema: SCHEMA.into(), title, ..Report::default() };
        Self { texts, report, cases: HashMap::new(), run_ids: HashMap::new(), chips: chips::Known::default() }
    }

    /// Notes a file that can't be taken, and why.
    pub fn reject(&mut self, file: &str, reason: &str) {
        let rejected = Rejected { file: self.texts.name(file), reason: self.texts.sentence(reason) };
        self.report.rejected.push(rejected);
    }

    /// Takes a run; one that the report has already is rejected.
    pub fn add(&mut self, file: &str, sha256: Option<&str>, run: &RunFile) {
        let run_id = self.texts.name(&run.header.run_id);
        if let Some(&known) = self.run_ids.get(&run_id) {
            let known = self.report.runs[known].file.clone();
            return self.reject(file, &format!("it is the same run as {known}, by its id {run_id}"));
        }
        let index = self.report.runs.len();
        self.run_ids.insert(run_id, index);
        let mut problems = Problems::default();
        let made = self.run(index, file, sha256, run);
        self.report.runs.push(made);
        let subjects = self.subjects(index, run, &mut problems);
        let provenance = run.results.iter().find_map(|row| row.provenance.as_ref());
        let place = Place {
            header: &run.header,
            subjects,
            libraries: libraries(&run.header),
            fill: provenance.map_or("", |provenance| &provenance.fill),
        };
        let mut seen = HashSet::new();
        for row in &run.results {
            if !seen.insert(row.case.as_str()) {
                problems.add(format!("{}: it has two rows, and the first is taken", row.case));
            } else if let Some(&subject) = place.subjects.get(row.device.as_str()) {
                self.row(run, &place, subject, row, &mut problems);
            } else {
                problems.add(format!("{}: its device is not in the header", row.case));
            }
        }
        let run = &mut self.report.runs[index];
        run.problems = problems.first.iter().map(|problem| self.texts.sentence(problem)).collect();
        run.more_problems = problems.count - run.problems.len();
    }

    /// The report of all that was taken.
    pub fn finish(self, anonymous: bool) -> Report {
        let Self { mut report, .. } = self;
        sort_cases(&mut report);
        cells(&mut report);
        if anonymous {
            crate::anonymous::leave_out_names(&mut report);
        }
        label::subjects(&mut report);
        report.common_cases = common_cases(&report);
        report.standings = standing::speed(&report, &|_| true);
        report.chip_standings = chips::of(&report);
        report.rooflines = roofline::of(&report);
        report.shares = share::of(&report);
        report.energy = energy::of(&report);
        report.libraries = library::of(&report);
        report.scaling = scaling::of(&report);
        report.support = support::of(&report);
        report.environment = environment::of(&report);
        report
    }

    fn run(&mut self, index: usize, file: &str, sha256: Option<&str>, run: &RunFile) -> Run {
        let texts = &mut self.texts;
        let header = &run.header;
        let host = &header.host;
        let absent = header.backends.iter().filter(|backend| backend.status == BackendStatus::Absent);
        Run {
            file: texts.name(file),
            file_sha256: sha256.map(|hash| texts.name(hash)),
            label: label::run(index).into(),
            run_id: texts.name(&header.run_id),
            started: texts.name(&header.started),
            argv: header.argv.iter().map(|word| texts.name(word)).collect(),
            suite_version: texts.name(&header.suite.version),
            git_commit: header.suite.git_commit.as_deref().map(|commit| texts.name(commit)),
            git_dirty: header.suite.git_dirty,
            profile: texts.name(&header.plan.profile),
            cache: header.plan.cache,
            seed: header.plan.seed,
            energy: header.plan.energy.as_deref().map(|energy| texts.name(energy)),
            host: RunHost {
                hostname: host.hostname.as_deref().map(|name| texts.name(name)),
                os: host.os.as_deref().map(|os| texts.name(os)),
                kernel: host.kernel.as_deref().map(|kernel| texts.name(kernel)),
                arch: texts.name(&host.arch),
                cpu: texts.name(&host.cpu),
                threads: host.threads,
                memory_bytes: host.memory_bytes,
            },
            environment: header.environment.iter().map(|(name, value)| (texts.name(name), texts.name(value))).collect(),
            absent: absent
                .map(|backend| AbsentBackend {
                    id: texts.name(&backend.id),
                    detail: backend.detail.as_deref().map(|detail| texts.sentence(detail)),
                })
                .collect(),
            planned: header.plan.cases.len(),
            rows: run.results.len(),
            ended: match &run.end {
                None => Ended::Cut,
                Some(end) if end.status == EndStatus::Complete => Ended::Complete,
                Some(_) => Ended::Interrupted,
            },
            problems: Vec::new(),
            more_problems: 0,
        }
    }

    /// Makes subjects of the devices with rows or ceilings.
    fn subjects<'a>(&mut self, index: usize, run: &'a RunFile, problems: &mut Problems) -> HashMap<&'a str, usize> {
        let used: HashSet<&str> = run.results.iter().map(|row| row.device.as_str()).collect();
        let mut latest: HashMap<&str, &Ceilings> = HashMap::new();
        for ceilings in &run.ceilings {
            let found = check::ceilings(ceilings);
            if found.is_empty() {
                latest.insert(&ceilings.device, ceilings);
            }
            problems.extend(found.into_iter().map(|problem| format!("the ceilings of {}: {problem}", ceilings.device)));
        }
        let mut subjects = HashMap::new();
        for device in &run.header.devices {
            let ceilings = latest.get(device.id.as_str()).copied();
            if subjects.contains_key(device.id.as_str()) || (ceilings.is_none() && !used.contains(device.id.as_str())) {
                continue;
            }
            let subject = self.subject(index, &run.header, device, ceilings);
            subjects.insert(device.id.as_str(), self.report.subjects.len());
            self.report.subjects.push(subject);
        }
        subjects
    }

    fn subject(&mut self, run: usize, header: &RunHeader, device: &DeviceRow, ceilings: Option<&Ceilings>) -> Subject {
        let chip = self.chips.of(&mut self.report.chips, &mut self.texts, self.report.subjects.len(), header, device);
        let texts = &mut self.texts;
        Subject {
            run,
            label: "".into(),
            device: texts.name(&device.id),
            api: texts.name(&device.backend),
            name: texts.name(&device.name),
            vendor: texts.name(&device.vendor),
            kind: texts.name(&device.kind),
            driver: texts.name(&device.driver),
            chip,
            clock_mhz: device.caps.get("clock_mhz").and_then(Value::as_f64),
            clock_policy: device.clock_policy.as_deref().map(|policy| texts.name(policy)),
            power_limit_w: device.power_limit_w,
            memory_bytes: device.caps.get("memory_bytes").and_then(Value::as_u64),
            ceilings: ceilings.map(|ceilings| {
                let mut ceilings = ceilings.clone();
                ceilings.each_text(&mut clean);
                ceilings
            }),
            measured: 0,
            rows: 0,
        }
    }

    fn row(&mut self, file: &RunFile, place: &Place<'_>, subject: usize, row: &ResultRow, problems: &mut Problems) {
        let cache = row.timing.as_ref().map_or(place.header.plan.cache, |timing| timing.cache);
        let fill = row.provenance.as_ref().map_or(place.fill, |provenance| &provenance.fill);
        let case = self.case(row, fill, cache);
        let broken = check::row(row);
        let measured = if broken.is_empty() { self.measured(file, row, problems) } else { None };
        let texts = &mut self.texts;
        let reason = match broken.first() {
            Some(problem) if row.status == Status::Ok => Some(texts.sentence(problem)),
            _ => row.reason.as_deref().map(|reason| texts.sentence(reason)),
        };
        problems.extend(broken.into_iter().map(|problem| format!("{}: {problem}", row.case)));
        let known = &mut self.report.cases[case];
        if let Some(work) = row.work.filter(|_| measured.is_some() || known.flop.is_none()) {
            let sound = |value: f64| (value.is_finite() && value > 0.0).then_some(value);
            (known.flop, known.bytes) = (sound(work.flop), sound(work.bytes));
        }
        let energy = row.energy.as_ref().map(|energy| Box::new(self.energy(row, energy, problems)));
        let texts = &mut self.texts;
        let provenance = row.provenance.as_ref();
        let of_subject = &mut self.report.subjects[subject];
        of_subject.rows += 1;
        of_subject.measured += usize::from(measured.is_some());
        self.report.rows.push(Row {
            subject,
            case,
            id: texts.name(&row.case),
            variant: texts.name(&row.variant),
            library: place.libraries.contains(&(row.device.as_str(), row.op.as_str(), row.variant.as_str())),
            status: row.status,
            reason,
            plan: provenance.and_then(|provenance| provenance.plan.as_deref()).map(|plan| texts.name(plan)),
            source_sha256: provenance
                .and_then(|provenance| provenance.source_sha256.as_deref())
                .map(|hash| texts.name(hash)),
            seed: provenance.map(|provenance| provenance.seed),
            command: provenance.map(|provenance| texts.sentence(&provenance.command)),
            measured: measured.map(Box::new),
            energy,
        });
    }

    fn case(&mut self, row: &ResultRow, fill: &str, cache: CacheMode) -> usize {
        let texts = &mut self.texts;
        let key = Key {
            op: texts.name(&row.op),
            dtype: texts.name(&row.dtype),
            shape: texts.name(&shape(row)),
            fill: texts.name(fill),
            cold: cache == CacheMode::Cold,
        };
        let origin = row.origin.as_deref().map(|origin| texts.name(origin));
        let phase = row.phase.as_deref().map(|phase| texts.name(phase));
        if let Some(&known) = self.cases.get(&key) {
            let case = &mut self.report.cases[known];
            case.origin = case.origin.take().or(origin);
            case.phase = case.phase.take().or(phase);
            return known;
        }
        let index = self.report.cases.len();
        self.report.cases.push(Case {
            op: key.op.clone(),
            dtype: key.dtype.clone(),
            shape: key.shape.clone(),
            fill: key.fill.clone(),
            cache,
            origin,
            phase,
            flop: None,
            bytes: None,
            cells: Vec::new(),
        });
        self.cases.insert(key, index);
        index
    }

    /// The figures of a row that keeps its promises; a ceiling that does not is left out.
    fn measured(&mut self, file: &RunFile, row: &ResultRow, problems: &mut Problems) -> Option<Measured> {
        let (timing, rate, verify) = (row.timing.as_ref()?, row.rate?, row.verify.as_ref()?);
        let of_ceiling = row.ceiling.as_ref().map_or(Vec::new(), |ceiling| check::ceiling(file, row, ceiling));
        let mut ceiling = row.ceiling.clone().filter(|_| of_ceiling.is_empty());
        if let Some(vendor) = ceiling.as_mut().and_then(|ceiling| ceiling.vendor.as_mut()) {
            vendor.variant = self.texts.name(&vendor.variant).to_string();
        }
        problems.extend(of_ceiling.into_iter().map(|problem| format!("{}: {problem}", row.case)));
        Some(Measured {
            clock: self.texts.name(&timing.clock),
            kind: ClockKind::of(&timing.clock),
            samples_ns: timing.samples_ns.clone(),
            batch: timing.batch,
            warmup_runs: timing.warmup_runs,
            steady: timing.steady,
            median_ns: timing.median_ns,
            ci95_ns: timing.ci95_ns,
            flop_per_s: rate.flop_per_s,
            bytes_per_s: rate.bytes_per_s,
            verified: Verified {
                method: self.texts.name(&verify.method),
                checked: verify.checked,
                max_error: verify.max_error?,
                bound: verify.bound,
            },
            ceiling,
        })
    }

    /// The energy of a row; figures that break a promise are left out, and it says so.
    fn energy(&mut self, row: &ResultRow, energy: &Energy, problems: &mut Problems) -> RowEnergy {
        let texts = &mut self.texts;
        let broken = check::energy(row, energy);
        let reason = broken.first().copied().or(energy.reason.as_deref()).map(|reason| texts.sentence(reason));
        let sound = broken.is_empty();
        problems.extend(broken.into_iter().map(|problem| format!("{}: {problem}", row.case)));
        let figures = energy.figures.clone().filter(|_| sound && row.status == Status::Ok).map(|mut figures| {
            figures.discarded.iter_mut().chain(&mut figures.throttle).for_each(clean);
            figures
        });
        RowEnergy {
            // A measurement that is not taken is none that can be trusted.
            status: if sound || energy.status != EnergyStatus::Measured {
                energy.status
            } else {
                EnergyStatus::Suspect
            },
            reason,
            tried: energy.tried.iter().map(|tried| texts.sentence(tried)).collect(),
            meter: energy.meter.as_ref().map(|meter| RowMeter {
                id: texts.name(&meter.id),
                source: texts.name(&meter.source),
                kind: texts.name(&meter.kind),
                scope: texts.name(&meter.scope),
                accuracy: meter.accuracy,
                accuracy_source: texts.name(&meter.accuracy_source),
            }),
            figures,
            estimate: energy.estimate.clone().filter(|_| sound),
        }
    }
}

/// What is wrong with a file: the first few, and how many.
#[derive(Debug, Default)]
struct Problems {
    first: Vec<String>,
    count: usize,
}

impl Problems {
    fn add(&mut self, problem: String) {
        self.count += 1;
        if self.first.len() < PROBLEMS {
            self.first.push(problem);
        }
    }

    fn extend(&mut self, problems: impl Iterator<Item = String>) {
        problems.for_each(|problem| self.add(problem));
    }
}

/// A shape as its case's name has it; of a name that is none, its fields.
fn shape(row: &ResultRow) -> String {
    let path = row.case.rsplit_once('@').map_or(row.case.as_str(), |(path, _)| path);
    match path.split('/').collect::<Vec<_>>()[..] {
        [_, _, shape, _] if !shape.is_empty() => shape.to_owned(),
        _ => {
            let fields: BTreeMap<&String, &Value> = row.shape.iter().collect();
            fields.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")
        }
    }
}

/// The libraries that devices have for operations: device, operation, library. Where a header tells which of them are no
/// part of the program, the others are not libraries beside its kernels.
fn libraries(header: &RunHeader) -> HashSet<(&str, &str, &str)> {
    let mut found = HashSet::new();
    for device in &header.devices {
        let Some(operations) = device.caps.get("libraries").and_then(Value::as_object) else { continue };
        for (op, names) in operations {
            let external = device.caps.get("external").and_then(Value::as_object);
            let beside = |name: &&str| external.is_none_or(|external| external.contains_key(*name));
            for name in names.as_array().into_iter().flatten().filter_map(Value::as_str).filter(beside) {
                found.insert((device.id.as_str(), op.as_str(), name));
            }
        }
    }
    found
}

/// Puts the cases in the order of pages: operation, types, work.
fn sort_cases(report: &mut Report) {
    let mut order: Vec<usize> = (0..report.cases.len()).collect();
    let cases = &report.cases;
    let place: Vec<_> = cases.iter().map(|case| standing::place(&case.op, &case.dtype)).collect();
    order.sort_by(|&one, &other| {
        let flop = |case: usize| cases[case].flop.unwrap_or(f64::INFINITY);
        place[one]
            .cmp(&place[other])
            .then(flop(one).total_cmp(&flop(other)))
            .then_with(|| cases[one].shape.cmp(&cases[other].shape))
            .then_with(|| cases[one].fill.cmp(&cases[other].fill))
            .then((cases[one].cache == CacheMode::Cold).cmp(&(cases[other].cache == CacheMode::Cold)))
    });
    let mut new = vec![0; order.len()];
    for (to, &from) in order.iter().enumerate() {
        new[from] = to;
    }
    let mut old: Vec<Option<Case>> = std::mem::take(&mut report.cases).into_iter().map(Some).collect();
    report.cases = order.iter().filter_map(|&from| old[from].take()).collect();
    for row in &mut report.rows {
        row.case = new[row.case];
    }
}

/// Gives each case its cells.
fn cells(report: &mut Report) {
    let mut of_case: Vec<BTreeMap<usize, Cell>> = vec![BTreeMap::new(); report.cases.len()];
    for (index, row) in report.rows.iter().enumerate() {
        let new = || Cell { subject: row.subject, measured: Vec::new(), missing: Vec::new() };
        let cell = of_case[row.case].entry(row.subject).or_insert_with(new);
        if row.measured.is_some() { &mut cell.measured } else { &mut cell.missing }.push(index);
    }
    let rows = &report.rows;
    let time = |row: usize| rows[row].measured.as_ref().map_or(f64::INFINITY, |measured| measured.median_ns);
    for (case, cells) in report.cases.iter_mut().zip(of_case) {
        case.cells = cells.into_values().collect();
        for cell in &mut case.cells {
            cell.measured.sort_by(|&one, &other| time(one).total_cmp(&time(other)));
            cell.missing.sort_by_key(|&row| gravity(rows[row].status));
        }
    }
}

fn common_cases(report: &Report) -> usize {
    let measured_by = |case: &Case, kind| case.cells.iter().filter(|cell| report.fastest(cell, kind).is_some()).count();
    let common =
        |case: &&Case| [ClockKind::Device, ClockKind::Host].into_iter().any(|kind| measured_by(case, kind) > 1);
    report.cases.iter().filter(common).count()
}
