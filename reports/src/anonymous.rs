//! A report without names: of devices, hosts and users, of their addresses, and of the folders that they keep things in.
//!
//! A name becomes a neutral label, the same wherever it stood, so that what belongs together still does.

mod file;

pub(crate) use file::Names;

use crate::Report;
use crate::inert::Text;
use crate::report::label;
use aho_corasick::{AhoCorasick, MatchKind};
use regex::Regex;
use std::collections::HashMap;

/// What stands in the place of what has no label.
const LEFT_OUT: &str = "…";
/// Users' names that are shorter are also words.
const SHORTEST_NAME: usize = 3;

/// A folder of a user's, its name in the first group.
const HOME: &str = r"(?:/home/|/Users/|[A-Za-z]:\\Users\\)([^/\\\s:;,'`)]+)";
/// A path, up to its last part.
const FOLDERS: &str = r#"(^|[\s"'`=:,;(])(?:[A-Za-z]:)?[/\\]+(?:[^\s/\\:;,'"`)]+[/\\])*"#;
/// UUIDs, PCI addresses and network addresses of hardware.
const ADDRESS: &str = r"(?i)\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]|(?:[0-9a-f]{2}:){5}[0-9a-f]{2})\b";

/// Leaves names out, or puts neutral ones in their place.
pub(crate) fn leave_out_names(report: &mut Report) {
    report.anonymous = true;
    let mut labels = Labels::default();
    for subject in &report.subjects {
        labels.add("device", &subject.name);
        labels.add("maker", &subject.vendor);
        labels.add("driver", &subject.driver);
    }
    for run in &report.runs {
        labels.add("processor", &run.host.cpu);
        if let Some(hostname) = &run.host.hostname {
            labels.add("host", hostname);
        }
    }
    labels.add_users(report);
    let Some(mut cleaner) = Cleaner::new(labels) else { return };
    cleaner.runs(report);
    cleaner.subjects(report);
    cleaner.rows(report);
    for rejected in &mut report.rejected {
        rejected.file = last_part(&rejected.file).into();
        cleaner.text(&mut rejected.reason);
    }
}

/// Names and their labels. The first label of a name holds.
#[derive(Default)]
struct Labels {
    of: HashMap<Text, Text>,
    counts: HashMap<&'static str, usize>,
    order: Vec<Text>,
}

impl Labels {
    fn add(&mut self, what: &'static str, name: &Text) {
        if name.trim().is_empty() || self.of.contains_key(name) {
            return;
        }
        let count = self.counts.entry(what).or_default();
        self.of.insert(name.clone(), format!("{what} {}", label::run(*count)).into());
        self.order.push(name.clone());
        *count += 1;
    }

    /// Users are known by their folders.
    fn add_users(&mut self, report: &Report) {
        let Ok(home) = Regex::new(HOME) else { return };
        let of_runs = report
            .runs
            .iter()
            .flat_map(|run| run.argv.iter().chain(run.environment.iter().map(|(_, value)| value)).chain([&run.file]));
        let users: Vec<Text> = of_runs
            .flat_map(|text| home.captures_iter(text))
            .filter_map(|found| Some(found.get(1)?.as_str().into()))
            .filter(|name: &Text| name.len() >= SHORTEST_NAME)
            .collect();
        for user in users {
            self.add("user", &user);
        }
    }
}

/// Puts labels in the place of names in free text.
struct Cleaner {
    labels: Labels,
    names: AhoCorasick,
    address: Regex,
    home: Regex,
    folders: Regex,
    known: HashMap<Text, Text>,
}

impl Cleaner {
    /// None where there are more names than can be searched for.
    fn new(labels: Labels) -> Option<Self> {
        let names = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .ascii_case_insensitive(true)
            .build(labels.order.iter().map(|name| name.as_bytes()));
        Some(Self {
            labels,
            names: names.ok()?,
            address: Regex::new(ADDRESS).ok()?,
            home: Regex::new(HOME).ok()?,
            folders: Regex::new(FOLDERS).ok()?,
            known: HashMap::new(),
        })
    }

    fn runs(&mut self, report: &mut Report) {
        for run in &mut report.runs {
            run.file = format!("{}.jsonl", run.label).into();
            run.file_sha256 = None;
            for word in &mut run.argv {
                *word = argument(word).into();
                self.text(word);
            }
            self.name(&mut run.host.cpu);
            if let Some(hostname) = &mut run.host.hostname {
                self.name(hostname);
            }
            for (_, value) in &mut run.environment {
                *value = LEFT_OUT.into();
            }
            let details = run.absent.iter_mut().filter_map(|backend| backend.detail.as_mut());
            for text in details.chain(&mut run.problems) {
                self.text(text);
            }
        }
        for chip in &mut report.chips {
            self.name(&mut chip.name);
        }
    }

    fn subjects(&mut self, report: &mut Report) {
        for subject in &mut report.subjects {
            for name in [&mut subject.name, &mut subject.vendor, &mut subject.driver] {
                self.name(name);
            }
            if let Some(ceilings) = &mut subject.ceilings {
                ceilings.each_text(&mut |text| *text = self.cleaned(text));
                // The document that a figure is from names its maker.
                ceilings.theoretical.iter_mut().for_each(|figure| LEFT_OUT.clone_into(&mut figure.source));
            }
        }
    }

    fn rows(&mut self, report: &mut Report) {
        for row in &mut report.rows {
            for text in row.reason.iter_mut().chain(&mut row.command).chain(&mut row.plan) {
                self.text(text);
            }
            let Some(energy) = &mut row.energy else { continue };
            for text in energy.reason.iter_mut().chain(&mut energy.tried) {
                self.text(text);
            }
            if let Some(meter) = &mut energy.meter {
                for text in [&mut meter.id, &mut meter.source, &mut meter.accuracy_source] {
                    self.text(text);
                }
            }
        }
    }

    /// A text that is a name as a whole.
    fn name(&self, name: &mut Text) {
        if let Some(label) = self.labels.of.get(name) {
            *name = label.clone();
        }
    }

    /// A text that may hold names.
    fn text(&mut self, text: &mut Text) {
        if let Some(known) = self.known.get(text) {
            *text = known.clone();
            return;
        }
        let cleaned: Text = self.cleaned(text).into();
        self.known.insert(std::mem::replace(text, cleaned.clone()), cleaned);
    }

    fn cleaned(&self, text: &str) -> String {
        let text = self.address.replace_all(text, LEFT_OUT);
        let text = self.home.replace_all(&text, "/~");
        let text = self.folders.replace_all(&text, "$1");
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for found in self.names.find_iter(text.as_ref()) {
            let letter = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
            let inside =
                letter(text[..found.start()].chars().next_back()) || letter(text[found.end()..].chars().next());
            if inside {
                continue;
            }
            out.push_str(&text[from..found.start()]);
            let name = &self.labels.order[found.pattern().as_usize()];
            out.push_str(self.labels.of.get(name).map_or(LEFT_OUT, |label| label));
            from = found.end();
        }
        out + &text[from..]
    }
}

/// A word of a command line without the folders in it.
fn argument(word: &str) -> String {
    match word.split_once('=') {
        Some((flag, value)) if flag.starts_with('-') => format!("{flag}={}", last_part(value)),
        _ => last_part(word).to_owned(),
    }
}

fn last_part(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaner() -> Cleaner {
        let mut labels = Labels::default();
        labels.add("device", &"Model X 9000".into());
        labels.add("host", &"vm".into());
        labels.add("user", &"alice".into());
        Cleaner::new(labels).unwrap()
    }

    #[test]
    fn names_in_text_become_labels() {
        let cleaner = cleaner();
        assert_eq!(cleaner.cleaned("model x 9000: no memory on vm (vmem)"), "device A: no memory on host A (vmem)");
        assert_eq!(cleaner.cleaned("Model X 9000Ti"), "Model X 9000Ti");
    }

    #[test]
    fn folders_and_addresses_go() {
        let cleaner = cleaner();
        assert_eq!(cleaner.cleaned("/home/alice/x/run.jsonl: no file"), "run.jsonl: no file");
        assert_eq!(cleaner.cleaned("in /home/alice"), "in ~");
        assert_eq!(cleaner.cleaned(r"C:\Users\Alice\run.jsonl"), "run.jsonl");
        assert_eq!(cleaner.cleaned("GPU-2210110f-a100-0332-faff-fffb8b170000"), "GPU-…");
        assert_eq!(cleaner.cleaned("device 0000:3b:00.0 gone"), "device … gone");
        assert_eq!(
            cleaner.cleaned("gemm/f16/1024x1024x1024/packed@opencl:0"),
            "gemm/f16/1024x1024x1024/packed@opencl:0"
        );
        assert_eq!(argument("--output=/home/bob/a.jsonl"), "--output=a.jsonl");
    }
}
