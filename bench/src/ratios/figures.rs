//! What times say: medians, ratios of pairs, means over cases. Pure arithmetic over a document's raw times.

use crate::stats;
use accelbench_reports::Unit;
use accelbench_reports::ratios::{
    LaneFigures, LaneKind, Measure, PairedRatio, PeakPair, RatioCase, RatioLane, RatioMean,
};

/// Ratios of speeds, `of` over `to`, from times that took turns: of the same round of the same block; where blocks have
/// different numbers of rounds, of their medians.
pub fn pairs(of: &[Vec<f64>], to: &[Vec<f64>]) -> Vec<f64> {
    let block = |(of, to): (&Vec<f64>, &Vec<f64>)| -> Vec<f64> {
        if of.len() == to.len() {
            return of.iter().zip(to).map(|(of, to)| to / of).collect();
        }
        stats::median(of).zip(stats::median(to)).map(|(of, to)| to / of).into_iter().collect()
    };
    of.iter().zip(to).flat_map(block).collect()
}

/// What a lane's times say by themselves; none without times.
fn alone(lane: &RatioLane, flop: f64, peaks: &[PeakPair]) -> Option<LaneFigures> {
    let all = lane.blocks_ns.concat();
    let median_ns = stats::median(&all)?;
    let [low, high] = stats::median_interval(&all)?;
    let rate = |ns: f64| flop / (ns * 1e-9);
    let flop_per_s = rate(median_ns);
    Some(LaneFigures {
        rounds: all.len() as u64,
        median_ns,
        flop_per_s,
        ci95_flop_per_s: [rate(high), rate(low)],
        of_peak: peak(lane, peaks).map(|peak| flop_per_s / peak),
        of_library: None,
    })
}

/// The peak of a lane's units on its device. A library may choose among all, and a peer has the case's own device.
fn peak(lane: &RatioLane, peaks: &[PeakPair]) -> Option<f64> {
    let own = peaks.first().map(|peak| peak.device.as_str());
    let device = if lane.kind == LaneKind::Peer { own } else { Some(lane.device.as_str()) };
    let fits = |peak: &&PeakPair| Some(peak.device.as_str()) == device && [Unit::Any, peak.unit].contains(&lane.unit);
    peaks.iter().filter(fits).map(PeakPair::peak).reduce(f64::max)
}

/// Fills in the figures of a case's lanes.
pub fn fill(case: &mut RatioCase) {
    for lane in &mut case.lanes {
        lane.figures = alone(lane, case.flop, &case.peaks);
    }
    let Some(best) = case.best_library().map(|(lane, _)| lane.clone()) else { return };
    for lane in &mut case.lanes {
        let itself = (lane.kind, &lane.device, &lane.variant) == (best.kind, &best.device, &best.variant);
        let ratio = paired(lane, &best).filter(|_| !itself);
        if let Some(figures) = &mut lane.figures {
            figures.of_library = ratio;
        }
    }
}

/// How many times as fast one lane is as another; none without pairs.
fn paired(of: &RatioLane, to: &RatioLane) -> Option<PairedRatio> {
    let pairs = pairs(&of.blocks_ns, &to.blocks_ns);
    Some(PairedRatio {
        to: to.variant.clone(),
        on: to.device.clone(),
        ratio: stats::median(&pairs)?,
        ci95: stats::median_interval(&pairs)?,
        pairs: pairs.len() as u64,
    })
}

/// The means over all cases that stayed steady, by device, operation and type in the order of the cases.
pub fn means(cases: &[RatioCase]) -> Vec<RatioMean> {
    let steady: Vec<&RatioCase> = cases.iter().filter(|case| case.unsteady.is_none()).collect();
    let mut groups: Vec<[&str; 3]> = Vec::new();
    for case in &steady {
        let group = [case.device.as_str(), case.op.as_str(), case.dtype.as_str()];
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    let mut means = Vec::new();
    for [device, op, dtype] in groups {
        let group = |op: &str, dtype: &str| -> Vec<&RatioCase> {
            let mine = steady.iter().filter(|case| case.device == device && case.op == op && case.dtype == dtype);
            mine.copied().collect()
        };
        let own = group(op, dtype);
        for measure in Measure::ALL {
            let ratios: Vec<f64> = match measure {
                Measure::ConvOverGemm if op == "conv2d" => over_mean(&own, &group("gemm", dtype)),
                Measure::HalfOverSingle if dtype == "f16" => over_same(&own, &group(op, "f32")),
                _ => own.iter().filter_map(|case| of_case(case, measure)).collect(),
            };
            if let Some(ratio) = mean(&ratios) {
                means.push(RatioMean {
                    device: device.to_owned(),
                    op: op.to_owned(),
                    dtype: dtype.to_owned(),
                    measure,
                    ratio,
                    least: ratios.iter().copied().fold(f64::INFINITY, f64::min),
                    most: ratios.iter().copied().fold(0.0, f64::max),
                    cases: ratios.len() as u64,
                });
            }
        }
    }
    means
}

/// A case's own part of a mean; none of those that take other cases, too.
fn of_case(case: &RatioCase, measure: Measure) -> Option<f64> {
    let (own, figures) = case.lane(LaneKind::Own)?;
    let over = |to: &RatioLane| paired(own, to).map(|ratio| ratio.ratio);
    match measure {
        Measure::OwnOfPeak => figures.of_peak,
        Measure::OwnKernelOfPeak => case.lane(LaneKind::OwnKernel)?.1.of_peak,
        Measure::OwnOverLibrary => over(case.best_library()?.0),
        Measure::OwnOverHostLibrary => {
            let beside = |lane: &&RatioLane| lane.kind == LaneKind::Library && lane.device != case.device;
            let rate = |lane: &RatioLane| lane.figures.as_ref().map(|figures| figures.flop_per_s);
            let fast = case.lanes.iter().filter(beside).filter_map(|lane| Some((lane, rate(lane)?)));
            over(fast.max_by(|(_, one), (_, other)| one.total_cmp(other))?.0)
        }
        Measure::OwnOverHostKernel => over(case.lane(LaneKind::HostKernel)?.0),
        Measure::BestOverDefault => over(case.lane(LaneKind::OwnDefault)?.0),
        Measure::ConvOverGemm | Measure::HalfOverSingle => None,
    }
}

fn own_rate(case: &RatioCase) -> Option<f64> {
    case.lane(LaneKind::Own).map(|(_, figures)| figures.flop_per_s)
}

/// Own rates over the mean of others' own rates.
fn over_mean(cases: &[&RatioCase], others: &[&RatioCase]) -> Vec<f64> {
    let rates: Vec<f64> = others.iter().filter_map(|case| own_rate(case)).collect();
    let Some(to) = mean(&rates) else { return Vec::new() };
    cases.iter().filter_map(|case| Some(own_rate(case)? / to)).collect()
}

/// Own rates over those of the same shapes.
fn over_same(cases: &[&RatioCase], others: &[&RatioCase]) -> Vec<f64> {
    let same =
        |case: &RatioCase| others.iter().find(|other| other.shape == case.shape).and_then(|other| own_rate(other));
    cases.iter().filter_map(|case| Some(own_rate(case)? / same(case)?)).collect()
}

/// The geometric mean; none of nothing.
fn mean(values: &[f64]) -> Option<f64> {
    let sum: f64 = values.iter().map(|value| value.ln()).sum();
    (!values.is_empty()).then(|| (sum / values.len() as f64).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use accelbench_reports::Status;

    fn lane(kind: LaneKind, device: &str, variant: &str, blocks_ns: &[&[f64]]) -> RatioLane {
        RatioLane {
            kind,
            device: device.to_owned(),
            variant: variant.to_owned(),
            plan: None,
            plan_source: None,
            unit: Unit::Any,
            clock: "host-wall".to_owned(),
            status: Status::Ok,
            reason: None,
            blocks_ns: blocks_ns.iter().map(|block| block.to_vec()).collect(),
            figures: None,
        }
    }

    /// A case of 1000 FLOP, so that a time of 1 ns is 1 TFLOP/s, on a device whose peak is 2 TFLOP/s.
    fn case(op: &str, dtype: &str, shape: &str, lanes: Vec<RatioLane>) -> RatioCase {
        let peak = PeakPair {
            device: "opencl:0".to_owned(),
            unit: Unit::Vector,
            dtype: "f32".to_owned(),
            before: 1.9e12,
            after: 2.1e12,
        };
        let mut case = RatioCase {
            case: format!("{op}/{dtype}/{shape}/any@opencl:0"),
            op: op.to_owned(),
            dtype: dtype.to_owned(),
            shape: shape.to_owned(),
            origin: None,
            device: "opencl:0".to_owned(),
            flop: 1000.0,
            tries: 1,
            unsteady: None,
            left_out: None,
            peaks: vec![peak],
            lanes,
            command: String::new(),
        };
        fill(&mut case);
        case
    }

    fn own(ns: f64) -> RatioLane {
        lane(LaneKind::Own, "opencl:0", "packed", &[&[ns, ns]])
    }

    fn close(found: Option<f64>, expected: f64) {
        assert!(found.is_some_and(|found| (found / expected - 1.0).abs() < 1e-9), "{found:?} is not {expected}");
    }

    #[test]
    fn rounds_are_paired_within_their_block_and_medians_where_they_differ() {
        let of = vec![vec![1.0, 2.0], vec![4.0]];
        assert_eq!(pairs(&of, &[vec![2.0, 2.0], vec![1.0]]), [2.0, 1.0, 0.25]);
        // A peer has one figure a block.
        assert_eq!(pairs(&[vec![1.0, 2.0, 4.0], vec![3.0]], &[vec![8.0], vec![6.0]]), [4.0, 2.0]);
        assert_eq!(pairs(&of, &[vec![2.0, 2.0]]), [2.0, 1.0], "what was cut off pairs with nothing");
        assert_eq!(pairs(&[], &of), Vec::<f64>::new());
    }

    #[test]
    fn a_drift_that_both_share_is_in_no_ratio() {
        // The machine slows down to a half; the ratio stays.
        let one = lane(LaneKind::Own, "opencl:0", "packed", &[&[1.0, 1.2, 1.4, 1.6, 1.8, 2.0]]);
        let two = lane(LaneKind::Library, "opencl:0", "fast", &[&[2.0, 2.4, 2.8, 3.2, 3.6, 4.0]]);
        let case = case("gemm", "f32", "a", vec![one, two]);
        let ratio = case.lanes[0].figures.as_ref().unwrap().of_library.clone().unwrap();
        close(Some(ratio.ratio), 2.0);
        close(Some(ratio.ci95[1] / ratio.ci95[0]), 1.0);
        assert_eq!((ratio.pairs, ratio.to.as_str()), (6, "fast"));
        assert_eq!(case.lanes[1].figures.as_ref().unwrap().of_library, None, "it is the best itself");
    }

    #[test]
    fn a_lane_s_figures_are_of_its_median() {
        let case = case("gemm", "f32", "a", vec![lane(LaneKind::Own, "opencl:0", "packed", &[&[1.0, 4.0], &[2.0]])]);
        let figures = case.lanes[0].figures.as_ref().unwrap();
        assert_eq!(figures.rounds, 3);
        close(Some(figures.flop_per_s), 0.5e12);
        close(figures.of_peak, 0.25);
        close(Some(figures.ci95_flop_per_s[0]), 0.25e12);
        close(Some(figures.ci95_flop_per_s[1]), 1e12);
        assert_eq!(figures.of_library, None);
    }

    #[test]
    fn a_peak_is_of_the_lane_s_own_device_and_units() {
        let mut matrix = lane(LaneKind::Own, "opencl:0", "mma", &[&[1.0]]);
        matrix.unit = Unit::Matrix;
        let elsewhere = lane(LaneKind::Library, "host:0", "fast", &[&[1.0]]);
        let peer = lane(LaneKind::Peer, "cpu", "other", &[&[1.0]]);
        let case = case("gemm", "f32", "a", vec![matrix, elsewhere, peer]);
        let of_peak = |place: usize| case.lanes[place].figures.as_ref().unwrap().of_peak;
        assert_eq!((of_peak(0), of_peak(1)), (None, None));
        close(of_peak(2), 0.5);
    }

    #[test]
    fn each_mean_takes_what_it_is_of() {
        let lanes = |ns: f64| {
            vec![
                own(ns),
                lane(LaneKind::OwnKernel, "opencl:0", "packed", &[&[0.9 * ns, 0.9 * ns]]),
                lane(LaneKind::OwnDefault, "opencl:0", "packed", &[&[1.5 * ns, 1.5 * ns]]),
                lane(LaneKind::Library, "opencl:0", "slow", &[&[4.0 * ns, 4.0 * ns]]),
                lane(LaneKind::Library, "host:0", "fast", &[&[1.1 * ns, 1.1 * ns]]),
                lane(LaneKind::HostKernel, "host:0", "own", &[&[1.2 * ns, 1.2 * ns]]),
            ]
        };
        let wrong = RatioLane { status: Status::Wrong, blocks_ns: Vec::new(), ..own(0.001) };
        let unsteady = RatioCase { unsteady: Some("a reason".to_owned()), ..case("gemm", "f32", "c", lanes(0.001)) };
        let cases = [
            case("gemm", "f32", "a", lanes(1.0)),
            case("gemm", "f32", "b", lanes(4.0)),
            unsteady,
            case("gemm", "f32", "d", vec![wrong]),
            case("gemm", "f16", "b", vec![own(8.0)]),
            case("conv2d", "f32", "x", vec![own(4.0)]),
        ];
        let means = means(&cases);
        let of = |op: &str, dtype: &str, measure| {
            means.iter().find(|mean| mean.op == op && mean.dtype == dtype && mean.measure == measure)
        };
        let value = |op: &str, dtype: &str, measure| of(op, dtype, measure).map(|mean| mean.ratio);
        for (measure, expected) in [
            (Measure::OwnOfPeak, 0.25),
            (Measure::OwnKernelOfPeak, 0.25 / 0.9),
            (Measure::OwnOverLibrary, 1.1),
            (Measure::OwnOverHostLibrary, 1.1),
            (Measure::OwnOverHostKernel, 1.2),
            (Measure::BestOverDefault, 1.5),
        ] {
            close(value("gemm", "f32", measure), expected);
        }
        let peak = of("gemm", "f32", Measure::OwnOfPeak).unwrap();
        assert_eq!(peak.cases, 2, "neither the unsteady nor the wrong one");
        close(Some(peak.least), 0.125);
        close(Some(peak.most), 0.5);
        // 250 against a mean of 500 GFLOP/s; 125 against 250 of the same shape.
        close(value("conv2d", "f32", Measure::ConvOverGemm), 0.5);
        close(value("gemm", "f16", Measure::HalfOverSingle), 0.5);
        assert_eq!(value("conv2d", "f32", Measure::OwnOverLibrary), None);
        assert_eq!(value("gemm", "f32", Measure::HalfOverSingle), None);
    }
}
