use super::{Change, Drift, Metric, Point, Series, Trends};
use crate::text::Lang;

fn series(name: &str, values: &[Option<f64>]) -> Series {
    let point = |(day, value): (usize, &Option<f64>)| Point {
        started: format!("2026-03-{:02}T10:00:00Z", day + 1),
        commit: Some(format!("{day:040x}")),
        value: *value,
        interval: value.map(|value| [0.99 * value, 1.01 * value]),
    };
    Series {
        name: name.to_owned(),
        device: "a device".to_owned(),
        driver: "1.0".to_owned(),
        level: 120e3,
        points: values.iter().enumerate().map(point).collect(),
        changes: Vec::new(),
        drift: None,
        follows: None,
    }
}

fn stepped() -> Series {
    let values = [Some(100e3), Some(101e3), None, Some(120e3), Some(121e3)];
    let change = Change { at: Some(3), level_before: 100e3, level_after: 120e3, p: 0.0004, gradual: false };
    Series { changes: vec![change], ..series("gemm/f32/64x64x64/tiled@opencl:0", &values) }
}

fn page(metric: Metric, series: Vec<Series>) -> String {
    Trends { metric, series, left_out: 0 }.html(Lang::En)
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn a_page_says_what_became_of_a_case() {
    let page = page(Metric::Time, vec![stepped()]);
    assert!(page.contains("At their last change 1 series became worse and 0 better; 0 drift"), "{page}");
    for part in
        ["4 / 5", "100.0 µs", "120.0 µs", "1.20× worse", "2026-03-04", "&lt;0.001", "000000000000..000000000000"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    // A point for each value and none for the failure; a level on each side of the change.
    assert_eq!(count(&page, "<circle"), 4);
    assert_eq!(count(&page, "stroke-dasharray=\"3 3\""), 1);
    let levels = page.split("<g class=s1>").nth(1).unwrap().split("</g>").next().unwrap();
    assert_eq!(count(levels, "<path"), 2, "{levels}");
}

#[test]
fn faster_is_better_where_a_rate_is_followed() {
    assert!(page(Metric::Rate, vec![stepped()]).contains("0 series became worse and 1 better"));
}

#[test]
fn drift_and_the_driver_before_are_told() {
    let mut one = series("x", &[Some(1e3), Some(1.001e3)]);
    one.drift = Some(Drift { runs: 40, ratio: 1.05, p: 0.002 });
    one.follows = Some(("0.9".to_owned(), 0.9));
    let page = page(Metric::Time, vec![one]);
    for part in
        ["0 better; 1 drift", "1.05× worse", "over 40 runs", "0.002", "0.90× better", "No change point was found"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn series_beyond_the_limit_are_counted() {
    let many: Vec<Series> = (0..super::SERIES + 3).map(|at| series(&format!("case {at}"), &[Some(1e3)])).collect();
    let page = Trends { metric: Metric::Time, series: many, left_out: 4 }.html(Lang::En);
    assert_eq!(count(&page, "<figure"), super::SERIES);
    assert!(page.contains("7 more series"));
}

#[test]
fn strange_values_and_texts_do_no_harm() {
    let values = [Some(f64::NAN), Some(f64::INFINITY), Some(-1.0), Some(1e300), Some(0.0), None];
    let mut one = series("</script><script>alert(1)</script>\u{202e}", &values);
    one.driver = "<img src=x onerror=y>".to_owned();
    one.level = f64::NAN;
    one.points[0].commit = Some("<b>".to_owned());
    one.points[0].started = String::new();
    one.changes.push(Change { at: Some(99), level_before: 0.0, level_after: 0.0, p: f64::NAN, gradual: true });
    let page = page(Metric::Energy, vec![one, series("none", &[])]);
    assert!(!page.contains("<script>alert") && !page.contains("<img") && !page.contains('\u{202e}'), "{page}");
    assert_eq!(count(&page, "<circle"), 0);
}

#[test]
fn both_languages_have_the_same_structure() {
    let tags = |lang| {
        let page = Trends { metric: Metric::Time, series: vec![stepped()], left_out: 1 }.html(lang);
        let tags = page.split('<').skip(1).filter_map(|rest| rest.split([' ', '>']).next());
        tags.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(tags(Lang::En), tags(Lang::Zh));
}
