//! A document of ratios as a page of Markdown: the machine, the peaks and the commands first, then the tables.

use super::page::Page;
use crate::ratios::{LaneFigures, LaneKind, Measure, PairedRatio, RatioCase, RatioLane, RatiosFile};
use crate::text::Lang;
use crate::units;

/// What the figures are, and are not.
const METHOD: [&str; 8] = [
    "All lanes of a case took turns, there and back again, so that whatever else happened on the machine happened to all of \
     them. Where they need several processes (one a device, and each peer), blocks of turns alternated. A lane that takes 8 \
     times as long as its process's first one has one turn a block.",
    "Every output was held against an f64 truth after its last turn, and a lane that is not right has no figure. A peer's \
     output can't be: its figures are its own word.",
    "Inputs are seeded normal random numbers, caches are warm, rates are of the median turn, with a distribution-free 95% \
     interval. FLOPs are counted by the operation's definition.",
    "Ratios are medians over pairs of turns of the same round (of a peer: of its run and the block before it), with a \
     distribution-free 95% interval; above 1 the first one is faster.",
    "The measured peak is that of the units that a kernel computes on, in the type of its sums, on the same device: the \
     median of a probe before the case's first turn and one after its last.",
    "A case whose peak moved by more than the limit, or that came out faster than its peak, was measured again; one that \
     never stayed steady is marked and counts in no mean.",
    "A kernel alone is the launch of it that takes longest, on what a whole run left in its buffers: without packing, and \
     without adding parts up. The whole program is what a user waits for.",
    "Lanes of one device are timed by one clock; a device and the host beside it by two, which the last table names.",
];

/// Renders a document. The same document gives the same page.
pub fn render(file: &RatiosFile) -> String {
    let mut page = Page::new(Lang::En.texts(), usize::MAX);
    page.heading(1, "How near our kernels come to the ceiling, and to libraries");
    let runs = match file.resumed.len() {
        0 => "The whole of it is one run:".to_owned(),
        again => format!("The whole of it is one run in {} sittings:", again + 1),
    };
    page.paragraph(&format!("This page is made from a document of ratios, and never by hand. {runs}"));
    page.code(&words(&file.argv));
    if !file.complete {
        page.strong("The run was stopped: cases are missing.");
    }
    machine(&mut page, file);
    peaks(&mut page, file);
    means(&mut page, file);
    for (device, op) in groups(file) {
        cases(&mut page, file, device, op);
    }
    faults(&mut page, file);
    let method = METHOD.map(str::to_owned);
    page.list("Method", &method, usize::MAX);
    page.list("Notes", &file.notes, usize::MAX);
    lanes(&mut page, file);
    page.finish()
}

/// When each sitting began.
fn begun(file: &RatiosFile) -> String {
    let all: Vec<&str> = std::iter::once(&file.started).chain(&file.resumed).map(String::as_str).collect();
    all.join(" and ")
}

fn machine(page: &mut Page<'_>, file: &RatiosFile) {
    let (host, suite, options) = (&file.host, &file.suite, &file.options);
    let dirty = if suite.git_dirty == Some(true) { ", changed" } else { "" };
    let commit = suite.git_commit.as_deref().unwrap_or("commit not known");
    let of = |what: &str, value: String| vec![what.to_owned(), value];
    let lines = [
        of("processor", format!("{}, {} threads", host.cpu, host.threads)),
        of("memory", units::bytes(host.memory_bytes)),
        of("system", [&host.os, &host.kernel].into_iter().flatten().cloned().collect::<Vec<_>>().join(", ")),
        of("accelbench", format!("{} ({commit}{dirty})", suite.version)),
        of("measured", format!("{}, {:.0} min", begun(file), file.wall_s / 60.0)),
        of(
            "rounds",
            format!(
                "{} at least, of {} each, after {} of rest where libraries share a processor; seed {}",
                options.rounds,
                units::time(options.turn_s * 1e9),
                units::time(options.rest_s * 1e9),
                options.seed
            ),
        ),
        of("limits", format!("peaks within {}, {} tries", units::percent(options.steady), options.tries)),
    ];
    page.table("Machine", &["", ""], &lines, usize::MAX);
    let devices: Vec<Vec<String>> = file
        .devices
        .iter()
        .map(|device| {
            let policy = device.clock_policy.clone().unwrap_or_default();
            let limit = device.power_limit_w.map_or(String::new(), |watts| format!("{watts:.0} W"));
            let libraries = device.caps.get("external").and_then(|found| found.as_object());
            let libraries = libraries.map_or(String::new(), |found| {
                found.values().filter_map(|words| words.as_str()).collect::<Vec<_>>().join("; ")
            });
            vec![device.id.clone(), device.name.clone(), device.driver.clone(), libraries, policy, limit]
        })
        .collect();
    page.table("Devices", &["device", "name", "driver", "libraries", "clock", "power limit"], &devices, usize::MAX);
}

/// The peaks of the whole run: the first, the last, and the range.
fn peaks(page: &mut Page<'_>, file: &RatiosFile) {
    let mut seen: Vec<(&str, &'static str, &str, Vec<f64>)> = Vec::new();
    for peak in file.cases.iter().flat_map(|case| &case.peaks) {
        let key = (peak.device.as_str(), peak.unit.name(), peak.dtype.as_str());
        let both = [peak.before, peak.after];
        match seen.iter_mut().find(|(device, unit, dtype, _)| (*device, *unit, *dtype) == key) {
            Some((.., values)) => values.extend(both),
            None => seen.push((key.0, key.1, key.2, both.to_vec())),
        }
    }
    let lines: Vec<Vec<String>> = seen
        .iter()
        .map(|(device, unit, dtype, values)| {
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let most = values.iter().copied().fold(0.0, f64::max);
            let ends = [values.first(), values.last()].map(|value| value.copied().unwrap_or_default());
            let figures = [ends[0], ends[1], least, most].map(|rate| units::rate(rate, dtype));
            [*device, *unit, *dtype].map(str::to_owned).into_iter().chain(figures).collect()
        })
        .collect();
    let heads = ["device", "units", "type", "before the first case", "after the last", "least", "most"];
    page.table("Measured peaks", &heads, &lines, usize::MAX);
}

fn means(page: &mut Page<'_>, file: &RatiosFile) {
    for measure in Measure::ALL {
        let share = matches!(measure, Measure::OwnOfPeak | Measure::OwnKernelOfPeak);
        let shown = |value: f64| if share { units::percent(value) } else { units::ratio(value) };
        let lines: Vec<Vec<String>> = file
            .means
            .iter()
            .filter(|mean| mean.measure == measure)
            .map(|mean| {
                let key = [&mean.device, &mean.op, &mean.dtype].map(Clone::clone);
                let figures = [mean.ratio, mean.least, mean.most].map(shown);
                key.into_iter().chain(figures).chain([mean.cases.to_string()]).collect()
            })
            .collect();
        let title = format!("Geometric means: {}", measure.name());
        page.table(&title, &["device", "kernel", "type", "mean", "least", "most", "cases"], &lines, usize::MAX);
    }
}

/// Devices with operations, in the order of the cases.
fn groups(file: &RatiosFile) -> Vec<(&str, &str)> {
    let mut groups = Vec::new();
    for case in &file.cases {
        let group = (case.device.as_str(), case.op.as_str());
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups
}

fn of_group<'a>(file: &'a RatiosFile, device: &'a str, op: &'a str) -> impl Iterator<Item = &'a RatioCase> {
    file.cases.iter().filter(move |case| case.device == device && case.op == op)
}

fn cases(page: &mut Page<'_>, file: &RatiosFile, device: &str, op: &str) {
    let heads = [
        "type",
        "shape",
        "own",
        "of peak",
        "kernel alone, of peak",
        "over its default plan",
        "best library",
        "its rate",
        "own / library (95% interval)",
        "peak moved",
        "note",
    ];
    let lines: Vec<Vec<String>> = of_group(file, device, op).map(line).collect();
    page.heading(2, &format!("{op} on {device}"));
    page.code(&command(file, device, op));
    page.table("", &heads, &lines, usize::MAX);
}

fn line(case: &RatioCase) -> Vec<String> {
    let own = case.lane(LaneKind::Own);
    let rate = |figures: &LaneFigures| units::rate(figures.flop_per_s, &case.dtype);
    let of_peak =
        |kind| case.lane(kind).and_then(|(_, figures)| figures.of_peak).map(units::percent).unwrap_or_default();
    let default = own.zip(case.lane(LaneKind::OwnDefault));
    let over_default =
        default.map(|((_, best), (_, usual))| units::ratio(usual.median_ns / best.median_ns)).unwrap_or_default();
    let library = case.best_library();
    let moved = case.peaks.iter().map(|peak| 100.0 * peak.drift()).reduce(f64::max);
    let again = (case.tries > 1).then(|| format!("measured {} times", case.tries));
    let notes = [case.left_out.clone(), case.unsteady.clone().map(|why| format!("unsteady: {why}")), again];
    vec![
        case.dtype.clone(),
        case.shape.clone(),
        own.map(|(_, figures)| rate(figures)).unwrap_or_default(),
        of_peak(LaneKind::Own),
        of_peak(LaneKind::OwnKernel),
        over_default,
        library.map(|(lane, _)| named(lane, &case.device)).unwrap_or_default(),
        library.map(|(_, figures)| rate(figures)).unwrap_or_default(),
        own.and_then(|(_, figures)| figures.of_library.as_ref()).map(paired).unwrap_or_default(),
        moved.map(|percent| format!("{percent:.1}%")).unwrap_or_default(),
        notes.into_iter().flatten().collect::<Vec<_>>().join("; "),
    ]
}

/// A lane's variant, with where it ran if that is another device.
fn named(lane: &RatioLane, device: &str) -> String {
    if lane.device == device { lane.variant.clone() } else { format!("{} on {}", lane.variant, lane.device) }
}

fn paired(ratio: &PairedRatio) -> String {
    let [low, high] = ratio.ci95.map(units::ratio);
    format!("{} ({low} – {high})", units::ratio(ratio.ratio))
}

fn faults(page: &mut Page<'_>, file: &RatiosFile) {
    let mut items = Vec::new();
    for case in &file.cases {
        for lane in case.lanes.iter().filter(|lane| lane.figures.is_none()) {
            let reason = lane.reason.as_deref().unwrap_or_default().lines().next().unwrap_or_default();
            items.push(format!("{}: {} is {}: {reason}", case.case, named(lane, &case.device), lane.status));
        }
    }
    page.list("Without figures", &items, usize::MAX);
}

/// Every lane with its figures.
fn lanes(page: &mut Page<'_>, file: &RatiosFile) {
    let heads = [
        "case",
        "lane",
        "by",
        "plan",
        "known from",
        "rate",
        "95% interval",
        "of peak",
        "over best library",
        "rounds",
        "clock",
    ];
    let mut lines = Vec::new();
    for case in &file.cases {
        for lane in &case.lanes {
            let Some(figures) = &lane.figures else { continue };
            let [low, high] = figures.ci95_flop_per_s.map(|end| units::rate(end, &case.dtype));
            lines.push(vec![
                case.case.clone(),
                lane.kind.name().to_owned(),
                named(lane, &case.device),
                lane.plan.clone().unwrap_or_default(),
                lane.plan_source.map_or(String::new(), |source| source.name().to_owned()),
                units::rate(figures.flop_per_s, &case.dtype),
                format!("{low} – {high}"),
                figures.of_peak.map(units::percent).unwrap_or_default(),
                figures.of_library.as_ref().map(paired).unwrap_or_default(),
                figures.rounds.to_string(),
                lane.clock.clone(),
            ]);
        }
    }
    page.table("All lanes", &heads, &lines, usize::MAX);
}

/// The command that gives a table again.
fn command(file: &RatiosFile, device: &str, op: &str) -> String {
    let options = &file.options;
    let own = options.shapes.iter().filter(|shape| shape.split(':').next() == Some(op));
    let mut command: Vec<String> = ["accelbench", "ratios"].map(str::to_owned).to_vec();
    command.extend(own.cloned());
    let mut flag = |name: &str, value: String| command.extend([name.to_owned(), value]);
    flag("--kernel", op.to_owned());
    if !options.dtypes.is_empty() {
        flag("--dtype", options.dtypes.join(","));
    }
    flag("--device", device.to_owned());
    flag("--rounds", options.rounds.to_string());
    flag("--seed", options.seed.to_string());
    for peer in &options.peers {
        flag("--peer", peer.clone());
    }
    words(&command)
}

/// Words as a POSIX shell takes them.
fn words(words: &[String]) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:,=@+%".contains(letter);
    let quoted = |word: &String| {
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ratios::tests::{case, file};

    #[test]
    fn the_same_document_gives_the_same_page_and_it_has_what_matters() {
        let file = file(vec![case("1024x1024x1024"), case("2048x2048x2048")]);
        let page = render(&file);
        assert_eq!(page, render(&file));
        for part in [
            "accelbench ratios -d opencl:0 --peer 'python3 tests/peers/one.py x'",
            "accelbench ratios --kernel gemm --device opencl:0 --rounds 20 --seed 1 --peer 'python3 tests/peers/one.py x'",
            "| opencl:0 | vector | f32 | 200.0 GFLOP/s | 204.0 GFLOP/s |",
            "| opencl:0 | gemm | f32 | 94% | 90% | 98% | 2 |",
            "| f32 | 1024x1024x1024 | 190.0 GFLOP/s | 94% | 96% | 1.20× | openblas on host:0 | 180.0 GFLOP/s | 1.06× (1.02× – 1.10×) | 2.0% |",
            "clblast is wrong: element 3",
            "| own, kernel alone |",
        ] {
            assert!(page.contains(part), "{part} is missing:\n{page}");
        }
        assert!(!page.contains("The run was stopped"));
    }

    /// `UPDATE_PUBLISHED=1 cargo test -p accelbench-reports published` writes the pages anew.
    #[test]
    fn published_pages_are_what_their_documents_give() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("published");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let is_document = |path: &std::path::PathBuf| {
            path.extension().is_some_and(|extension| extension == "json")
                && path.file_stem().is_some_and(|stem| stem.to_string_lossy().starts_with("ratios-"))
        };
        let documents: Vec<_> = files.filter(is_document).collect();
        assert!(!documents.is_empty());
        for document in documents {
            let (page, path) =
                (render(&crate::ratios::RatiosFile::read(&document).unwrap()), document.with_extension("md"));
            if std::env::var_os("UPDATE_PUBLISHED").is_some() {
                std::fs::write(&path, &page).unwrap();
            }
            assert!(
                std::fs::read_to_string(&path).unwrap() == page,
                "{} is not what its document gives",
                path.display()
            );
        }
    }

    #[test]
    fn what_is_stopped_or_unsteady_says_so() {
        let mut file =
            file(vec![RatioCase { unsteady: Some("the peak moved by 9%".to_owned()), tries: 3, ..case("8x8x8") }]);
        file.complete = false;
        let page = render(&file);
        assert!(page.contains("The run was stopped"), "{page}");
        assert!(page.contains("unsteady: the peak moved by 9%; measured 3 times"), "{page}");
    }

    #[test]
    fn what_a_peer_calls_itself_is_inert() {
        let mut case = case("8x8x8");
        case.lanes[2].variant = "<b>|x".to_owned();
        let mut file = file(vec![case]);
        file.options.peers = vec!["a ``` b\nc".to_owned()];
        let page = render(&file);
        assert!(page.contains("&lt;b&gt;\\|x") && !page.contains("<b>"), "{page}");
        assert!(page.contains("````sh\n") && page.contains("'a ``` b c'\n````"), "{page}");
    }
}
