//! The f64 truth of a convolution: every element where that is cheap, else samples and a projection over all of them.

use super::{ConvProblem, Layout};
use crate::compare::{Comparison, projection_bound, sum_bound};
use crate::{Tensor, Verdict, fill, samples};
use rayon::prelude::*;

/// Up to this many multiplications every element is computed: about 0.1 s on one core.
const ELEMENTWISE: u64 = 1 << 26;
/// The usual sizes of tiles.
const TILES: &[usize] = &[8, 16, 32, 48, 64, 128];
/// Draws the samples and the projection; no input has this seed.
const SEED: u64 = 0x5EED_0C0B_72D0_57A9;

/// Holds Y against the definition.
pub(super) fn verify(problem: &ConvProblem, inputs: &[Tensor], output: &Tensor) -> Verdict {
    let [x, w] = inputs else { return Comparison::new().verdict("elementwise") };
    let sizes = [x.len(), w.len(), output.len()];
    if sizes.iter().zip(problem.elements()).any(|(&size, expected)| size as u64 != expected) {
        return Comparison::new().verdict("elementwise");
    }
    let truth = Truth::new(problem, x.to_f64(), w.to_f64());
    let [_, _, outputs] = problem.elements();
    if outputs * u64::from(problem.depth()) <= ELEMENTWISE {
        let pixels = 0..truth.pixels;
        let compared = pixels.into_par_iter().map(|pixel| {
            let mut comparison = Comparison::new();
            (0..truth.k).for_each(|k| truth.compare(&mut comparison, output, pixel, k));
            comparison
        });
        compared.reduce(Comparison::new, Comparison::merge).verdict("elementwise")
    } else {
        truth.samples(output).merge(truth.freivalds(output)).verdict("sampled+freivalds")
    }
}

/// X with channels innermost and W with filters outermost and channels innermost, whatever their layout, so that the
/// loops below run over neighbours.
struct Truth<'a> {
    problem: &'a ConvProblem,
    k: usize,
    pixels: usize,
    x: Vec<f64>,
    w: Vec<f64>,
}

impl<'a> Truth<'a> {
    fn new(problem: &'a ConvProblem, x: Vec<f64>, w: Vec<f64>) -> Self {
        let (x, w) = match problem.layout {
            Layout::Nhwc => (x, w),
            Layout::Nchw => (
                channels_last(&x, problem.c as usize, (problem.h * problem.w) as usize),
                channels_last(&w, problem.group_c() as usize, (problem.r * problem.s) as usize),
            ),
        };
        Self { problem, k: problem.k as usize, pixels: problem.pixels() as usize, x, w }
    }

    /// Calls `with` for every tap of the filter that lies in the image at a pixel: the tap's number, and where its
    /// channels of `group` start in X.
    fn taps(&self, pixel: usize, group: usize, mut with: impl FnMut(usize, usize)) {
        let problem = self.problem;
        let [oh, ow] = problem.out().map(|side| side as usize);
        let (image, y, x) = (pixel / (oh * ow), pixel / ow % oh, pixel % ow);
        let place = |axis: usize, at: usize, tap: usize, side: u32| {
            let [stride, pad, dilation] =
                [problem.stride[axis], problem.pad[axis], problem.dilation[axis]].map(|value| value as usize);
            (at * stride + tap * dilation).checked_sub(pad).filter(|&place| place < side as usize)
        };
        for i in 0..problem.r as usize {
            let Some(row) = place(0, y, i, problem.h) else { continue };
            for j in 0..problem.s as usize {
                let Some(column) = place(1, x, j, problem.w) else { continue };
                let start = (image * problem.h as usize + row) * problem.w as usize + column;
                let channel = group * problem.group_c() as usize;
                with(i * problem.s as usize + j, start * problem.c as usize + channel);
            }
        }
    }

    /// The sum of a pixel with a filter of a group, and the sum of its products' squares.
    fn sum(&self, pixel: usize, group: usize, filter: &[f64]) -> (f64, f64) {
        let channels = self.problem.group_c() as usize;
        let (mut sum, mut square) = (0.0, 0.0);
        self.taps(pixel, group, |tap, start| {
            for (x, w) in self.x[start..][..channels].iter().zip(&filter[tap * channels..]) {
                let product = x * w;
                sum += product;
                square += product * product;
            }
        });
        (sum, square)
    }

    fn filter(&self, k: usize) -> &[f64] {
        let depth = self.problem.depth() as usize;
        &self.w[k * depth..][..depth]
    }

    /// Where an element of Y lies.
    fn place(&self, pixel: usize, k: usize) -> usize {
        match self.problem.layout {
            Layout::Nhwc => pixel * self.k + k,
            Layout::Nchw => {
                let [oh, ow] = self.problem.out().map(|side| side as usize);
                (pixel / (oh * ow) * self.k + k) * oh * ow + pixel % (oh * ow)
            }
        }
    }

    fn compare(&self, comparison: &mut Comparison, output: &Tensor, pixel: usize, k: usize) {
        let problem = self.problem;
        let (sum, square) = self.sum(pixel, k / problem.group_k() as usize, self.filter(k));
        let bound = sum_bound(problem.precision, problem.depth().into(), square, sum);
        comparison
            .element(output.get(self.place(pixel, k)), sum, bound, || format!("{}, filter {k}", self.describe(pixel)));
    }

    fn describe(&self, pixel: usize) -> String {
        let [oh, ow] = self.problem.out().map(|side| side as usize);
        format!("image {}, row {}, column {}", pixel / (oh * ow), pixel / ow % oh, pixel % ow)
    }

    fn samples(&self, output: &Tensor) -> Comparison {
        let places = samples::places([self.pixels, self.k], TILES, SEED);
        let compared = places.into_par_iter().map(|(pixel, k)| {
            let mut comparison = Comparison::new();
            self.compare(&mut comparison, output, pixel, k);
            comparison
        });
        compared.reduce(Comparison::new, Comparison::merge)
    }

    /// The filters of a group, weighted with random signs and added up, are one filter, whose output must be the same
    /// sum over Y's channels: all elements for the price of one filter a group. See GEMM's projection for the bound.
    fn freivalds(&self, output: &Tensor) -> Comparison {
        let problem = self.problem;
        let (depth, group_k) = (problem.depth() as usize, problem.group_k() as usize);
        let signs = fill::signs(self.k, SEED);
        // For each group, the signed sum of its filters and the sums of their elements' squares.
        let projected: Vec<(Vec<f64>, Vec<f64>)> = (0..problem.groups as usize)
            .into_par_iter()
            .map(|group| {
                let mut sums = (vec![0.0; depth], vec![0.0; depth]);
                for (k, sign) in signs.iter().enumerate().skip(group * group_k).take(group_k) {
                    for ((dot, square), w) in sums.0.iter_mut().zip(&mut sums.1).zip(self.filter(k)) {
                        *dot += sign * w;
                        *square += w * w;
                    }
                }
                sums
            })
            .collect();
        let channels = problem.group_c() as usize;
        let compared = (0..self.pixels).into_par_iter().map(|pixel| {
            let mut comparison = Comparison::new();
            for (group, (dots, squares)) in projected.iter().enumerate() {
                let (mut expected, mut norm) = (0.0, 0.0);
                self.taps(pixel, group, |tap, start| {
                    let filter = dots[tap * channels..].iter().zip(&squares[tap * channels..]);
                    for (x, (dot, square)) in self.x[start..][..channels].iter().zip(filter) {
                        expected += x * dot;
                        norm += x * x * square;
                    }
                });
                let (got, size) = (group * group_k..(group + 1) * group_k).fold((0.0, 0.0), |(dot, size), k| {
                    let y = output.get(self.place(pixel, k));
                    (dot + y * signs[k], size + y * y)
                });
                let bound = projection_bound(problem.precision, depth as u64, group_k as u64, norm, size);
                comparison.projection(got - expected, bound, || {
                    format!("{}, group {group}: projected to {got:e} instead of {expected:e}", self.describe(pixel))
                });
            }
            comparison
        });
        compared.reduce(Comparison::new, Comparison::merge)
    }
}

/// Planes of channels become pixels of channels.
fn channels_last(planes: &[f64], channels: usize, pixels: usize) -> Vec<f64> {
    let mut out = vec![0.0; planes.len()];
    out.par_chunks_mut(channels * pixels).zip(planes.par_chunks(channels * pixels)).for_each(|(out, planes)| {
        for (channel, plane) in planes.chunks(pixels).enumerate() {
            for (pixel, &value) in plane.iter().enumerate() {
                out[pixel * channels + channel] = value;
            }
        }
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Case, Operation, Precision, conv2d::Conv2d};
    use half::f16;

    fn problem(precision: Precision, text: &str) -> ConvProblem {
        ConvProblem::from_fields(precision, &Conv2d.parse_shape_text(text).unwrap()).unwrap()
    }

    fn inputs(problem: &ConvProblem) -> Vec<Tensor> {
        problem.inputs().iter().enumerate().map(|(i, spec)| fill::normal(spec, 3, i as u64)).collect()
    }

    /// The definition, read off the indices of the layout alone, with sums kept as `round` keeps them.
    fn direct(p: &ConvProblem, inputs: &[Tensor], round: impl Fn(f64) -> f64) -> Vec<f64> {
        let [oh, ow] = p.out();
        let mut y = vec![0.0; p.elements()[2] as usize];
        let at = |[a, b, c, d]: [u32; 4], [_, bs, cs, ds]: [u32; 4]| (((a * bs + b) * cs + c) * ds + d) as usize;
        for n in 0..p.n {
            for k in 0..p.k {
                for (row, column) in (0..oh).flat_map(|row| (0..ow).map(move |column| (row, column))) {
                    let mut sum = 0.0;
                    for c in 0..p.group_c() {
                        for (i, j) in (0..p.r).flat_map(|i| (0..p.s).map(move |j| (i, j))) {
                            let h = i64::from(row * p.stride[0] + i * p.dilation[0]) - i64::from(p.pad[0]);
                            let w = i64::from(column * p.stride[1] + j * p.dilation[1]) - i64::from(p.pad[1]);
                            if !(0..i64::from(p.h)).contains(&h) || !(0..i64::from(p.w)).contains(&w) {
                                continue;
                            }
                            let (h, w) = (h as u32, w as u32);
                            let channel = k / p.group_k() * p.group_c() + c;
                            let (x, f) = match p.layout {
                                Layout::Nchw => (
                                    at([n, channel, h, w], [p.n, p.c, p.h, p.w]),
                                    at([k, c, i, j], [p.k, p.group_c(), p.r, p.s]),
                                ),
                                Layout::Nhwc => (
                                    at([n, h, w, channel], [p.n, p.h, p.w, p.c]),
                                    at([k, i, j, c], [p.k, p.r, p.s, p.group_c()]),
                                ),
                            };
                            sum = round(sum + inputs[0].get(x) * inputs[1].get(f));
                        }
                    }
                    let place = match p.layout {
                        Layout::Nchw => at([n, k, row, column], [p.n, p.k, oh, ow]),
                        Layout::Nhwc => at([n, row, column, k], [p.n, oh, ow, p.k]),
                    };
                    y[place] = sum;
                }
            }
        }
        y
    }

    fn f32s(values: &[f64]) -> Tensor {
        Tensor::F32(values.iter().map(|&value| value as f32).collect())
    }

    #[test]
    fn the_definition_verifies_in_every_form() {
        for text in [
            "2x3x7x5-4x3x3-p1-nchw",
            "2x6x9x8-4x3x2-s2x1-p1x0-d2x1-g2-nchw",
            "1x4x6x6-8x3x3-g4-nhwc",
            "3x5x5x4-2x1x1-s3-nhwc",
            "1x2x1x30-3x1x3-s1x2-p0x1-nhwc",
        ] {
            let problem = problem(Precision::F32, text);
            assert_eq!(problem.shape_text(), text);
            let inputs = inputs(&problem);
            let mut y = direct(&problem, &inputs, |sum| f64::from(sum as f32));
            let verdict = verify(&problem, &inputs, &f32s(&y));
            assert!(verdict.ok && verdict.checked == y.len() as u64, "{text}: {verdict:?}");
            *y.last_mut().unwrap() += 1e-2;
            assert!(!verify(&problem, &inputs, &f32s(&y)).ok, "{text}");
        }
    }

    #[test]
    fn large_ones_are_projected_and_planted_faults_are_found() {
        for text in ["1x64x48x48-64x3x3-p1-nchw", "1x128x34x34-128x3x3-p1-g2-nhwc"] {
            let problem = problem(Precision::F32, text);
            let inputs = inputs(&problem);
            let right = direct(&problem, &inputs, |sum| f64::from(sum as f32));
            let verdict = verify(&problem, &inputs, &f32s(&right));
            assert!(verdict.ok && verdict.method == "sampled+freivalds", "{text}: {verdict:?}");
            // No sample lies here: only the projection can see it.
            let mut wrong = right.clone();
            wrong[right.len() / 2 + 77] += 0.5;
            assert!(!verify(&problem, &inputs, &f32s(&wrong)).ok, "{text}");
            let mut unwritten = right.clone();
            unwritten[1000..1010].fill(f64::NAN);
            let verdict = verify(&problem, &inputs, &f32s(&unwritten));
            assert!(!verdict.ok && verdict.bound.is_finite(), "{text}: {verdict:?}");
        }
    }

    #[test]
    fn half_sums_where_single_ones_are_promised_are_found() {
        let problem = problem(Precision::F16, "1x32x12x12-8x3x3-nchw");
        let inputs = inputs(&problem);
        let store = |values: &[f64]| Tensor::F16(values.iter().map(|&value| f16::from_f64(value)).collect());
        let single = direct(&problem, &inputs, |sum| f64::from(sum as f32));
        let half = direct(&problem, &inputs, |sum| f16::from_f64(sum).to_f64());
        assert!(verify(&problem, &inputs, &store(&single)).ok);
        assert!(!verify(&problem, &inputs, &store(&half)).ok);
    }
}
