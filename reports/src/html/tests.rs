//! Pages of runs that were worked out by hand.

use super::number::{digits, times};
use super::{SUBJECTS, render};
use crate::fixture::{Fixture, device, energy, missing, of_every_sort, report, row};
use crate::report::{EnergyModel, EnergyProbe, Finding};
use crate::text::Lang;
use crate::units;
use crate::{EnergyRoofline, Report};
use serde_json::Value;

const EVENT: &str = "device-event";

/// Two runs of one device each.
fn two(first: &[Value], second: &[Value]) -> Report {
    let run = |id: &str, name: &str, rows: &[Value]| {
        rows.iter().fold(Fixture::new(id, &[device("opencl:0", name)]), |run, row| run.with(row.clone()))
    };
    report(&[run("one", "ONE", first), run("two", "TWO", second)], false)
}

fn gemm(shape: &str, time: [f64; 3]) -> Value {
    row(&format!("gemm/f16/{shape}/tiled@opencl:0"), EVENT, time)
}

/// A part of a page: a tag with its attributes, or the text between two.
enum Part<'a> {
    Tag(&'a str),
    Text(&'a str),
}

/// The parts of a page's body, without its script.
fn parts(page: &str) -> Vec<Part<'_>> {
    let body = page.split("<body>").nth(1).unwrap();
    let body = body.rsplit_once("<script>").unwrap().0;
    body.split('<')
        .skip(1)
        .flat_map(|piece| piece.split_once('>').map(|(tag, text)| [Part::Tag(tag), Part::Text(text)]).unwrap())
        .collect()
}

/// The tags alone, in order, with the attributes that are no text.
fn structure(page: &str) -> Vec<String> {
    let words = ["aria-label=", "lang="];
    let tag = |tag: &str| {
        let name = tag.split(' ').next().unwrap().to_owned();
        let class =
            tag.split(' ').find(|part| part.starts_with("id=") || part.starts_with("class=")).unwrap_or_default();
        let labelled = words.iter().filter(|word| tag.contains(**word)).count();
        format!("{name} {class} {labelled}")
    };
    parts(page).into_iter().filter_map(|part| if let Part::Tag(text) = part { Some(tag(text)) } else { None }).collect()
}

/// The text that stands in the page's own language.
fn own_words(page: &str) -> Vec<&str> {
    let mut foreign: Vec<&str> = Vec::new();
    let mut words = Vec::new();
    for part in parts(page) {
        match part {
            Part::Tag(tag) => {
                let name = tag.split(' ').next().unwrap();
                if name.strip_prefix('/').is_some_and(|name| foreign.last() == Some(&name)) {
                    foreign.pop();
                } else if foreign.last() == Some(&name) || name == "code" || tag.contains("lang=en") {
                    // Cells have no end tags; what is foreign there ends with the next tag of the table.
                    if matches!(name, "td" | "th") {
                        foreign = vec!["td"];
                    } else {
                        foreign.push(name);
                    }
                } else if matches!(name, "td" | "th" | "tr" | "/table") {
                    foreign.clear();
                }
            }
            Part::Text(text) if foreign.is_empty() => words.push(text),
            Part::Text(_) => {}
        }
    }
    words
}

#[test]
fn the_head_says_what_the_model_says() {
    let report = two(
        &[gemm("8x8x8", [9.0, 10.0, 12.0]), gemm("9x9x9", [10.0, 10.0, 10.0])],
        &[gemm("8x8x8", [18.0, 20.0, 27.0]), gemm("9x9x9", [80.0, 80.0, 80.0])],
    );
    let Some(Finding::Ahead { first, second, by }) = report.standings[0].finding() else { panic!() };
    let page = render(&report, Lang::En);
    let head = format!(
        "Fastest at f16 GEMM: {}, {} times the speed of {}</h1>",
        report.label(first),
        times(by.ratio.value),
        report.label(second)
    );
    assert!(page.contains(&head), "{head}");
    assert!(head.contains("ONE, 4.00 times"), "{head}");
    let how =
        format!("95% interval {} to {}, geometric mean over 2 equal cases", times(by.ratio.low), times(by.ratio.high));
    assert!(page.contains(&how), "{how}");
    // The picture has the same ratio, seen from the other side.
    assert!(page.contains("<td>0.25<small>"), "the picture");
    let chinese = render(&report, Lang::Zh);
    assert!(chinese.contains("f16 GEMM 最快：ONE，速度是 TWO 的 4.00 倍"));
}

#[test]
fn no_difference_is_called_none() {
    let page = render(&two(&[gemm("8x8x8", [9.0, 10.0, 12.0])], &[gemm("8x8x8", [10.0, 11.0, 13.0])]), Lang::En);
    assert!(page.contains("At f16 GEMM no difference was seen between ONE and TWO"));
    assert!(!page.contains("times the speed of"));
}

#[test]
fn nothing_in_common_and_nothing_at_all_are_said() {
    let apart = two(&[gemm("8x8x8", [9.0, 10.0, 12.0])], &[gemm("9x9x9", [9.0, 10.0, 12.0])]);
    assert!(render(&apart, Lang::En).contains(Lang::En.texts().sentences.nothing_common));
    let nothing = two(&[missing("gemm/f16/8x8x8/tiled@opencl:0", "failed", "no luck")], &[]);
    let page = render(&nothing, Lang::En);
    assert!(page.contains("None of these runs has a verified figure") && page.contains("no luck"));
}

#[test]
fn every_figure_stands_on_the_page_with_what_it_rests_on() {
    let report = report(&[of_every_sort()], false);
    let page = render(&report, Lang::En);
    let mut measured = 0;
    for (index, row) in report.rows.iter().enumerate() {
        if let Some(figures) = &row.measured {
            measured += 1;
            let at = page.find(&format!("<tr id=r{index} ")).expect("a row of evidence");
            let line = &page[at..=at + page[at + 1..].find("<tr").unwrap_or(800)];
            let dtype = &report.cases[row.case].dtype;
            let rate = units::rate(figures.flop_per_s, dtype);
            let [low, high] =
                figures.rate_interval().map(|end| units::rate(end, dtype).split(' ').next().unwrap().to_owned());
            for part in [
                rate.split(' ').next().unwrap(),
                &format!("{low}–{high}"),
                &row.variant,
                &figures.clock,
                "16 elementwise",
                "5.0e-1 ≤ 1.0e0",
                "<summary>3</summary>",
            ] {
                assert!(line.contains(part), "{part} is not in {line}");
            }
            assert!(page.contains(&**row.command.as_ref().unwrap()));
            assert!(page.contains(&format!("href=#r{index}>")), "no figure leads to row {index}");
        }
    }
    assert_eq!(measured, 5);
    // Ceilings, transfers, latencies, energy and what went wrong.
    for figure in [
        "100.0 GB/s",
        "400.0 GB/s",
        "10.00 GB/s",
        "20.00 µs",
        "100.0 k/s",
        "GFLOP/s/W<th",
        "300.0 W",
        "out of memory",
        "no f64",
        "the device does not compute in f16",
    ] {
        assert!(page.contains(figure), "{figure}");
    }
}

#[test]
fn both_languages_have_one_structure_and_no_word_of_the_other() {
    let report = report(
        &[
            of_every_sort(),
            Fixture::new("other", &[device("opencl:0", "THIRD")]).with(gemm("64x64x64", [1.0, 2.0, 3.0])),
        ],
        false,
    );
    let (en, zh) = (render(&report, Lang::En), render(&report, Lang::Zh));
    let (one, other) = (structure(&en), structure(&zh));
    assert_eq!(one.len(), other.len());
    for (one, other) in one.iter().zip(&other) {
        assert_eq!(one, other);
    }
    // Names that files and the field give things; all other words would be English ones.
    let names = [
        "accelbench",
        "device",
        "one",
        "two",
        "normal",
        "elementwise",
        "event",
        "host",
        "wall",
        "tiled",
        "lib",
        "triad",
        "copy",
        "mul",
        "add",
        "dot",
        "opencl",
        "cuda",
        "board",
        "counter",
        "meter",
        "quick",
        "acc",
        "vector",
        "run",
        "jsonl",
    ];
    let units = ["GFLOP", "MHz", "KiB", "MiB", "GiB"];
    for text in own_words(&zh) {
        let words = text
            .split(|letter: char| !letter.is_ascii_alphabetic())
            .filter(|word| word.len() > 2 && word.chars().any(char::is_lowercase));
        for word in words {
            let known = names.iter().any(|name| name.eq_ignore_ascii_case(word)) || units.contains(&word);
            assert!(known, "{word:?} in {text:?}");
        }
    }
}

#[test]
fn hostile_text_is_shown_and_does_not_act() {
    let evil =
        "</script><script>alert(1)</script><img src=x onerror=alert(2)>\" onmouseover=\"alert(3)' {{x}} \u{202e}";
    let mut run = of_every_sort();
    for device in run.header["devices"].as_array_mut().unwrap() {
        device["name"] = evil.into();
        device["driver"] = evil.into();
    }
    run.header["argv"] = serde_json::json!(["accelbench", evil]);
    run.header["environment"][evil] = evil.into();
    for line in &mut run.lines {
        for field in ["variant", "origin", "reason", "op", "dtype"] {
            if line["type"] == "result" && (field != "reason" || line["status"] != "ok") {
                line[field] = evil.into();
            }
        }
        if line["type"] == "result" {
            line["provenance"]["command"] = evil.into();
        }
    }
    for lang in Lang::ALL {
        let page = render(&report(&[run.clone()], false), lang);
        assert_eq!(page.matches("<script").count(), 1);
        assert_eq!(page.matches("</script").count(), 1);
        assert!(!page.contains("<img") && !page.contains('\u{202e}'));
        assert!(page.contains("&lt;img src=x onerror=alert(2)&gt;"));
        for part in parts(&page) {
            if let Part::Tag(tag) = part {
                // Within quotes a text can't end its attribute.
                let outside: String = tag.split('"').step_by(2).collect();
                assert!(!outside.contains("onmouseover") && !outside.contains("onerror"), "{tag}");
            }
        }
    }
}

#[test]
fn a_page_is_bounded_and_says_what_it_leaves_out() {
    let run = |index: usize| {
        let cases = (0..300).map(|case| {
            let ns = 1e4 + (index * 300 + case) as f64;
            let mut row = gemm(&format!("{case}x{case}x64"), [ns * 0.99, ns, ns * 1.01]);
            row["timing"]["samples_ns"] = (0..60).map(|at| Value::from(ns + f64::from(at))).collect();
            row["provenance"]["command"] = format!("accelbench run gemm:k=64,m={case},n={case},trans=nn --dtype f16 --device opencl:0 --seed 1 --variant tiled --plan t-128x128x32-{index}").into();
            row
        });
        cases.fold(
            Fixture::new(&format!("run-{index}"), &[device("opencl:0", &format!("Accelerator {index}"))]),
            Fixture::with,
        )
    };
    let runs: Vec<Fixture> = (0..SUBJECTS + 5).map(run).collect();
    let page = render(&report(&runs, false), Lang::En);
    assert!(page.len() <= 3_000_000, "{} bytes", page.len());
    assert!(page.contains("Not on this page: 5 more."), "subjects");
    let shown = page.matches("<tr id=r").count();
    let left_out = runs.len() * 300 - shown;
    assert!(shown > 3000, "{shown}");
    assert!(page.contains(&format!("Not on this page: {left_out} more.")), "{left_out} results");
    // No figure leads to a result that is not there.
    for link in page.split("href=#r").skip(1) {
        let row = link.split('>').next().unwrap();
        if row.chars().all(|letter| letter.is_ascii_digit()) {
            assert!(page.contains(&format!("<tr id=r{row} ")), "{row}");
        }
    }
}

#[test]
fn energy_is_ranked_where_it_was_measured() {
    let with = |time: [f64; 3], pj: f64| {
        let mut row = gemm("8x8x8", time);
        row["energy"] = energy(pj, 0.05, "board");
        row
    };
    let page = render(&two(&[with([9.0, 10.0, 12.0], 50.0)], &[with([18.0, 20.0, 27.0], 200.0)]), Lang::En);
    assert!(page.contains("Least energy there: ONE, at best 50.00 pJ/FLOP; TWO needs 4.00 times as much"), "the head");
    assert!(page.contains("Energy roofline of ONE"));
    let unknown = render(&two(&[gemm("8x8x8", [9.0, 10.0, 12.0])], &[]), Lang::En);
    assert!(unknown.contains("Energy was not measured, so nothing is said of what this cost"));
}

#[test]
fn a_fitted_energy_roofline_is_drawn_and_told() {
    let mut report = report(&[of_every_sort()], false);
    let probe = |intensity: f64, flop_per_s: f64, pj_per_byte| EnergyProbe {
        kernel: "dot".into(),
        dtype: "f32".into(),
        intensity_flop_per_byte: intensity,
        flop_per_s,
        flop_per_s_per_w: 1e10 * intensity,
        pj_per_byte,
        combined: 0.07,
    };
    let roofline = EnergyRoofline {
        pj_per_flop: 2.5,
        pj_per_flop_error: 0.25,
        pj_per_byte: 31.0,
        pj_per_byte_error: 1.5,
        constant_w: Some(55.0),
        constant_w_error: None,
        fit_error: 0.04,
    };
    let probes = vec![probe(0.25, 1e11, Some(44.0)), probe(16.0, 4e12, None)];
    let plots = |page: &str| page.matches("<path class=ln").count();
    let before = plots(&render(&report, Lang::En));
    report.energy.models.push(EnergyModel { subject: 0, probes, roofline: Some(roofline) });
    let page = render(&report, Lang::En);
    assert_eq!(plots(&page), before + 1, "the curve");
    let with_error = |value, error| format!("<td>{}<small>± {}</small>", digits(value), digits(error));
    let constant = format!("<td>{} W<td>{}", digits(55.0), units::percent(0.04));
    for figure in [with_error(2.5, 0.25), with_error(31.0, 1.5), constant, format!("<td>{}<td>", digits(44.0))] {
        assert!(page.contains(&figure), "{figure}");
    }
}
