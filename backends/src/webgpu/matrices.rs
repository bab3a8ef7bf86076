//! Matrices that the work-items of a sub-group multiply together, on the units that a device has for that.
//!
//! An extension of wgpu's, still experimental: `enable wgpu_cooperative_matrix` in WGSL. So no form of matrices is
//! believed before it has multiplied.

use super::caps::encode;
use crate::{Caps, DType, Device, Result, Source, trial};
use std::fmt;

/// Square matrices of one size: C ← A·B + C.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    side: u32,
    /// The type of A and B.
    factors: DType,
    /// The type of C.
    sums: DType,
    /// Work-items of a sub-group.
    subgroup: u32,
}

/// As the fact `cooperative_matrix` lists it: rows of A, columns of B, columns of A, and the types.
impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { side, factors, sums, .. } = self;
        write!(f, "{side}x{side}x{side} {factors} {sums}")
    }
}

/// The forms that an adapter states and that WGSL has names for; none where the size of sub-groups may vary, because a
/// work-group must be whole ones.
pub(super) fn stated(adapter: &wgpu::Adapter, caps: &Caps) -> Vec<Form> {
    let Some((subgroup, _)) = caps.subgroup.filter(|(smallest, largest)| smallest == largest) else {
        return Vec::new();
    };
    let mut forms = Vec::new();
    for properties in adapter.cooperative_matrix_properties() {
        let form = form(&properties, subgroup);
        forms.extend(form.filter(|form| {
            [form.factors, form.sums].iter().all(|dtype| caps.compute.contains(dtype)) && !forms.contains(form)
        }));
    }
    forms
}

fn form(properties: &wgpu::CooperativeMatrixProperties, subgroup: u32) -> Option<Form> {
    let side = properties.m_size;
    let named = [properties.n_size, properties.k_size] == [side; 2]
        && matches!(side, 8 | 16)
        && !properties.saturating_accumulation;
    let (factors, sums) = (dtype(properties.ab_type)?, dtype(properties.cr_type)?);
    named.then_some(Form { side, factors, sums, subgroup })
}

fn dtype(scalar: wgpu::CooperativeScalarType) -> Option<DType> {
    match scalar {
        wgpu::CooperativeScalarType::F32 => Some(DType::F32),
        wgpu::CooperativeScalarType::F16 => Some(DType::F16),
        wgpu::CooperativeScalarType::I32 | wgpu::CooperativeScalarType::U32 => None,
    }
}

/// Whether the device really multiplies such matrices: one product of small whole numbers, which every type holds
/// exactly, with A and C stored by rows and B by columns.
pub(super) fn multiplies(device: &dyn Device, form: Form) -> Result<bool> {
    let side = form.side as usize;
    let all = |element: fn(usize, usize) -> f64, dtype: DType| -> Vec<u8> {
        (0..side * side).flat_map(|place| encode(dtype, element(place / side, place % side))).collect()
    };
    let expected: Vec<u8> =
        (0..side * side).flat_map(|place| encode(form.sums, sum(side, place / side, place % side))).collect();
    let [left, right] = [all(a, form.factors), all(|column, l| b(l, column), form.factors)];
    let before = all(c, form.sums);
    let source = Source::Wgsl(source(form).into());
    Ok(trial::run(device, source, "multiply", form.subgroup, &[&left, &right], &before)? == expected)
}

fn source(form: Form) -> String {
    let Form { side, factors, sums, subgroup } = form;
    let enable = if [factors, sums].contains(&DType::F16) { "enable f16;" } else { "" };
    let matrix = |dtype: DType, role: &str| format!("coop_mat{side}x{side}<{dtype}, {role}>");
    let (left, right, result) = (matrix(factors, "A"), matrix(factors, "B"), matrix(sums, "C"));
    format!(
        "{enable}
        enable wgpu_cooperative_matrix;
        @group(0) @binding(0) var<storage, read> a: array<{factors}>;
        @group(0) @binding(1) var<storage, read> b: array<{factors}>;
        @group(0) @binding(2) var<storage, read_write> c: array<{sums}>;
        @compute @workgroup_size({subgroup}) fn multiply() {{
            let left = coopLoadT<{left}>(&a[0], {side}u);
            let right = coopLoad<{right}>(&b[0], {side}u);
            let before = coopLoadT<{result}>(&c[0], {side}u);
            let after = coopMultiplyAdd(left, right, before);
            coopStoreT(after, &c[0], {side}u);
        }}"
    )
}

/// A's element in a row and a column: nothing in it is symmetric.
fn a(row: usize, column: usize) -> f64 {
    ((3 * row + 5 * column) % 7) as f64 - 3.0
}

/// B's.
fn b(row: usize, column: usize) -> f64 {
    ((2 * row + 7 * column) % 5) as f64 - 2.0
}

/// C's, before.
fn c(row: usize, column: usize) -> f64 {
    ((row + 2 * column) % 11) as f64
}

/// C's, after.
fn sum(side: usize, row: usize, column: usize) -> f64 {
    (0..side).map(|l| a(row, l) * b(l, column)).sum::<f64>() + c(row, column)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wgpu::naga::front::wgsl::parse_str;
    use wgpu::naga::valid::{Capabilities, ValidationFlags, Validator};

    fn properties(m_size: u32, ab_type: wgpu::CooperativeScalarType) -> wgpu::CooperativeMatrixProperties {
        wgpu::CooperativeMatrixProperties {
            m_size,
            n_size: 16,
            k_size: 16,
            ab_type,
            cr_type: wgpu::CooperativeScalarType::F32,
            saturating_accumulation: false,
        }
    }

    #[test]
    fn forms_are_square_and_of_known_types() {
        use wgpu::CooperativeScalarType::{F16, I32};
        let named = |m_size, ab_type| form(&properties(m_size, ab_type), 32).map(|form| form.to_string());
        assert_eq!(named(16, F16).as_deref(), Some("16x16x16 f16 f32"));
        assert_eq!([named(8, F16), named(16, I32)], [None, None]);
    }

    #[test]
    fn the_probe_is_valid_in_every_form() {
        use DType::{F16, F32};
        for (side, factors, sums) in [(16, F16, F32), (16, F16, F16), (8, F32, F32)] {
            let text = source(Form { side, factors, sums, subgroup: 32 });
            let module = parse_str(&text).unwrap_or_else(|error| panic!("{}", error.emit_to_string(&text)));
            let mut validator = Validator::new(ValidationFlags::all(), Capabilities::all());
            validator.validate(&module).unwrap_or_else(|error| panic!("{}", error.emit_to_string(&text)));
        }
    }

    #[test]
    fn a_transposed_factor_or_result_shows() {
        let product = |a: fn(usize, usize) -> f64, row, column| (0..16).map(|l| a(row, l) * b(l, column)).sum::<f64>();
        let differs = |other: &dyn Fn(usize, usize) -> f64| {
            (0..256).any(|place| other(place / 16, place % 16).to_bits() != sum(16, place / 16, place % 16).to_bits())
        };
        assert!(differs(&|row, column| product(|row, column| a(column, row), row, column) + c(row, column)));
        assert!(differs(&|row, column| sum(16, column, row)));
        assert!(!differs(&|row, column| product(a, row, column) + c(row, column)));
    }
}
