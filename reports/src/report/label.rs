//! Names by which people tell runs and subjects apart.

use super::Report;
use crate::inert::Text;
use std::collections::{HashMap, HashSet};

/// `A`, `B`, …, `Z`, `AA`, …
pub(crate) fn run(index: usize) -> String {
    let mut rest = index + 1;
    let mut letters = Vec::new();
    while rest > 0 {
        letters.push(char::from(b'A' + ((rest - 1) % 26) as u8));
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().collect()
}

/// Gives each subject the shortest name that no other one shares.
pub(super) fn subjects(report: &mut Report) {
    let candidates: Vec<Vec<String>> = report
        .subjects
        .iter()
        .map(|subject| {
            let name = if subject.name.is_empty() { &subject.device } else { &subject.name };
            let (api, device, run) = (&subject.api, &subject.device, &report.runs[subject.run].label);
            vec![
                name.to_string(),
                format!("{name} · {api}"),
                format!("{name} · {run}"),
                format!("{name} · {api} · {run}"),
                format!("{name} · {device}"),
                format!("{name} · {device} · {run}"),
            ]
        })
        .collect();
    let mut uses: HashMap<(usize, &str), usize> = HashMap::new();
    for (level, name) in candidates.iter().flat_map(|names| names.iter().enumerate()) {
        *uses.entry((level, name)).or_default() += 1;
    }
    let mut taken: HashSet<Text> = HashSet::new();
    for (index, names) in candidates.iter().enumerate() {
        let free = |name: &String| !taken.contains(name.as_str());
        let unique = names.iter().enumerate().find(|(level, name)| uses[&(*level, name.as_str())] == 1 && free(name));
        // Names can be made so that they look like another's label.
        let label: Text =
            unique.map_or_else(|| format!("{} #{}", names[0], index + 1), |(_, name)| name.clone()).into();
        taken.insert(label.clone());
        report.subjects[index].label = label;
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn letters_of_runs() {
        assert_eq!([0, 25, 26, 701, 702].map(super::run), ["A", "Z", "AA", "ZZ", "AAA"]);
    }
}
