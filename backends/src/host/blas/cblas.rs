//! CBLAS: how matrices are multiplied through it, with integers of either width.

use crate::external::Loaded;
use crate::host::sizes::Sizes;
use std::ffi::c_int;

const ROW_MAJOR: c_int = 101;
const AS_STORED: c_int = 111;
const TRANSPOSED: c_int = 112;

/// `cblas_sgemm` or `cblas_dgemm`: order, transpositions, m, n, k, α, A and its row's length, B alike, β, C alike.
pub(super) type Gemm<I, T> =
    unsafe extern "C" fn(c_int, c_int, c_int, I, I, I, T, *const T, I, *const T, I, T, *mut T, I);

/// How wide a library's integers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    Bits32,
    Bits64,
}

/// A product, by the width of its integers.
#[derive(Clone, Copy)]
pub(super) enum Product<T> {
    Bits32(Gemm<i32, T>),
    Bits64(Gemm<i64, T>),
}

/// A library of this machine, ready to multiply.
pub(in crate::host) struct Cblas {
    /// Its name in plans and ids.
    pub(in crate::host) name: &'static str,
    /// What it says of itself, and how many threads it uses.
    pub(in crate::host) version: String,
    /// Where it was found.
    pub(super) file: String,
    f32: Product<f32>,
    f64: Product<f64>,
}

impl Cblas {
    /// The products of `library`, whose names have this before and behind them, such as `scipy_` and `64_`.
    pub(super) fn new(
        library: Loaded,
        [before, behind]: [&str; 2],
        width: Width,
        version: String,
    ) -> Result<Self, String> {
        let symbol = |letter: char| format!("{before}cblas_{letter}gemm{behind}");
        let file =
            library.file(&symbol('s')).map_or_else(|| "a file unknown".to_owned(), |file| file.display().to_string());
        // SAFETY: these are CBLAS's functions of these types, with integers of the width that the library states.
        let (f32, f64) = unsafe {
            match width {
                Width::Bits32 => {
                    (Product::Bits32(library.function(&symbol('s'))?), Product::Bits32(library.function(&symbol('d'))?))
                }
                Width::Bits64 => {
                    (Product::Bits64(library.function(&symbol('s'))?), Product::Bits64(library.function(&symbol('d'))?))
                }
            }
        };
        Ok(Self { name: library.name(), version, file, f32, f64 })
    }

    /// Whether a small product is right in both types and all layouts, with C's content before it not counting.
    pub(super) fn is_right(&self) -> bool {
        [(false, false), (false, true), (true, false), (true, true)].into_iter().all(|(trans_a, trans_b)| {
            let sizes = Sizes { m: 3, n: 5, k: 4, trans_a, trans_b };
            check::<f32>(self, sizes) && check::<f64>(self, sizes)
        })
    }
}

/// A type that the products come in.
pub(super) trait Multiply: Copy + PartialEq + From<i8> {
    const ZERO: Self;
    const ONE: Self;
    const NAN: Self;

    fn product(cblas: &Cblas) -> &Product<Self>;
}

macro_rules! multiply {
    ($($real:ident)*) => {$(
        impl Multiply for $real {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NAN: Self = Self::NAN;

            fn product(cblas: &Cblas) -> &Product<Self> {
                &cblas.$real
            }
        }
    )*};
}

multiply!(f32 f64);

/// C = A·B.
///
/// # Panics
/// Where the slices don't hold the matrices.
pub(super) fn multiply<T: Multiply>(cblas: &Cblas, sizes: Sizes, a: &[T], b: &[T], c: &mut [T]) {
    let Sizes { m, n, k, trans_a, trans_b } = sizes;
    assert!(a.len() >= m * k && b.len() >= k * n && c.len() >= m * n, "operands of a product of {m} by {n} by {k}");
    let stored = |transposed| if transposed { TRANSPOSED } else { AS_STORED };
    let (at, bt) = (stored(trans_a), stored(trans_b));
    let (a_row, b_row) = (if trans_a { m } else { k }, if trans_b { k } else { n });
    let (a, b, c) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr());
    // SAFETY: the slices hold the matrices, as asserted, whose rows are as long as stated; C is exclusive. Sides are below
    // 2³¹, since shapes are.
    unsafe {
        match *T::product(cblas) {
            Product::Bits32(gemm) => {
                let [m, n, k, a_row, b_row] = [m, n, k, a_row, b_row].map(|side| side as i32);
                gemm(ROW_MAJOR, at, bt, m, n, k, T::ONE, a, a_row, b, b_row, T::ZERO, c, n);
            }
            Product::Bits64(gemm) => {
                let [m, n, k, a_row, b_row] = [m, n, k, a_row, b_row].map(|side| side as i64);
                gemm(ROW_MAJOR, at, bt, m, n, k, T::ONE, a, a_row, b, b_row, T::ZERO, c, n);
            }
        }
    }
}

/// Whether a product of small whole numbers is exact.
fn check<T: Multiply>(cblas: &Cblas, sizes: Sizes) -> bool {
    let Sizes { m, n, k, trans_a, trans_b } = sizes;
    let number = |row: usize, column: usize| (row * 3 + column * 5) as i8 % 7 - 3;
    let matrix = |rows: usize, columns: usize, transposed: bool| -> Vec<T> {
        let place = |at: usize| if transposed { (at % rows, at / rows) } else { (at / columns, at % columns) };
        (0..rows * columns).map(|at| number(place(at).0, place(at).1).into()).collect()
    };
    let mut c = vec![T::NAN; m * n];
    multiply(cblas, sizes, &matrix(m, k, trans_a), &matrix(k, n, trans_b), &mut c);
    let truth = |at: usize| -> T { (0..k).map(|step| number(at / n, step) * number(step, at % n)).sum::<i8>().into() };
    (0..m * n).all(|at| c[at] == truth(at))
}
