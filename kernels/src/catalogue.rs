//! The operations of this program, in the order in which they are run and shown.

use crate::{Case, Operation, Precision, ShapeError, attention, conv2d, gemm};
use std::collections::BTreeMap;

/// The known operations; none by default.
#[derive(Default)]
pub struct Catalogue {
    operations: Vec<Box<dyn Operation>>,
}

impl Catalogue {
    /// All operations of this crate.
    pub fn builtin() -> Self {
        let mut catalogue = Self::default();
        catalogue.register(Box::new(gemm::Gemm));
        catalogue.register(Box::new(conv2d::Conv2d));
        catalogue.register(Box::new(attention::Attention));
        catalogue
    }

    /// Adds an operation, which may come from outside this crate.
    pub fn register(&mut self, operation: Box<dyn Operation>) {
        self.operations.push(operation);
    }

    /// The operations, in order.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Operation> {
        self.operations.iter().map(Box::as_ref)
    }

    /// The operation with this name.
    ///
    /// # Errors
    /// [`ShapeError`], naming the known ones.
    pub fn operation(&self, name: &str) -> Result<&dyn Operation, ShapeError> {
        self.iter().find(|operation| operation.name() == name).ok_or_else(|| {
            let known: Vec<_> = self.iter().map(Operation::name).collect();
            ShapeError(format!("unknown kernel `{name}`; known are {}", known.join(", ")))
        })
    }

    /// Reads a shape from the command line, such as `gemm:m=64,n=64,k=64,trans=nt`.
    ///
    /// # Errors
    /// [`ShapeError`], naming what is off and the form that it should have.
    pub fn parse_shape(&self, text: &str) -> Result<(&dyn Operation, BTreeMap<String, String>), ShapeError> {
        let Some((name, list)) = text.split_once(':') else {
            return Err(ShapeError(format!(
                "`{text}` is no shape; write KERNEL:FIELD=VALUE,…, such as gemm:m=64,n=64,k=64"
            )));
        };
        let operation = self.operation(name)?;
        let wrong = |what: String| ShapeError(format!("{what} in `{text}`; write {}", operation.grammar()));
        let mut fields = BTreeMap::new();
        for part in list.split(',') {
            let (field, value) = part.split_once('=').ok_or_else(|| wrong(format!("`{part}` is no FIELD=VALUE")))?;
            if fields.insert(field.to_owned(), value.to_owned()).is_some() {
                return Err(wrong(format!("{field} stands twice")));
            }
        }
        // The types don't matter to whether a shape makes sense, so any will do to check it here.
        operation.case(operation.precisions()[0], &fields).map_err(|error| wrong(error.0))?;
        Ok((operation, fields))
    }

    /// The case that an id's first three parts name: `gemm`, `f16`, `64x64x64-nt`.
    ///
    /// # Errors
    /// [`ShapeError`] where a part is unknown.
    pub fn case(&self, op: &str, precision: Precision, shape: &str) -> Result<Box<dyn Case>, ShapeError> {
        let operation = self.operation(op)?;
        operation.case(precision, &operation.parse_shape_text(shape)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Profile, fill};

    #[test]
    fn every_shape_of_every_profile_makes_a_case_and_survives_its_text() {
        let catalogue = Catalogue::builtin();
        for operation in catalogue.iter() {
            for profile in [Profile::Quick, Profile::Standard, Profile::Full] {
                assert!(!operation.shapes(profile).is_empty());
                for shape in operation.shapes(profile) {
                    for &precision in operation.precisions() {
                        let case = operation.case(precision, &shape.fields).unwrap();
                        let again = catalogue.case(case.op(), precision, &case.shape_text()).unwrap();
                        assert_eq!(case.shape(), again.shape());
                    }
                }
            }
        }
    }

    #[test]
    fn a_profile_holds_all_of_the_one_below() {
        for operation in Catalogue::builtin().iter() {
            let [quick, standard, full] =
                [Profile::Quick, Profile::Standard, Profile::Full].map(|profile| operation.shapes(profile));
            assert!(quick.iter().all(|shape| standard.contains(shape)));
            assert!(standard.iter().all(|shape| full.contains(shape)));
        }
    }

    #[test]
    fn bad_shapes_are_named() {
        let catalogue = Catalogue::builtin();
        for (text, names) in [
            ("gemm", "is no shape"),
            ("gem:m=1,n=1,k=1", "unknown kernel `gem`"),
            ("gemm:m=1,n=1", "needs k="),
            ("gemm:m=0,n=1,k=1", "m is 0"),
            ("gemm:m=1,n=1,k=1,q=3", "no field `q`"),
            ("gemm:m=1,m=2,n=1,k=1", "m stands twice"),
            ("gemm:m=-1,n=1,k=1", "not a whole number"),
            ("gemm:m=99999999999999999999999,n=1,k=1", "above the largest"),
            ("gemm:m=2147483647,n=1,k=2147483647", "overflows"),
            ("gemm:m=1,n=1,k=1,trans=xx", "none of nn"),
            ("gemm:", "no FIELD=VALUE"),
            ("conv2d:c=4,h=8,w=8,k=4,r=3", "needs s="),
            ("conv2d:c=4,h=8,w=8,k=4,r=3,s=3,groups=3", "groups of 3 do not divide its c of 4"),
            ("conv2d:c=4,h=8,w=8,k=3,r=3,s=3,groups=2", "groups of 2 do not divide its k of 3"),
            ("conv2d:c=1,h=4,w=9,k=1,r=5,s=5", "filter is larger than the padded input: its height is 5"),
            ("conv2d:c=1,h=9,w=4,k=1,r=3,s=3,dilation=1x2", "its width is 5 with dilation, and the input's is 4"),
            ("conv2d:c=1,h=4,w=4,k=1,r=1,s=1,stride=0", "stride is 0"),
            ("conv2d:c=1,h=4,w=4,k=1,r=1,s=1,stride=1x2x3", "stride of `2x3` is not a whole number"),
            ("conv2d:c=1,h=4,w=4,k=1,r=1,s=1,layout=chwn", "none of nchw, nhwc"),
            ("conv2d:c=1,h=4,w=4,k=1,r=1,s=1,pad=2000000000", "padded image has a height of 4000000004"),
            ("conv2d:n=60000,c=1,h=900,w=900,k=1,r=1,s=1", "pixels n·oh·ow are more than"),
            ("attention:heads=8,kv_heads=3,seq_q=4,head_dim=64", "heads of 8 are not a multiple of its kv_heads of 3"),
            ("attention:heads=8,seq_q=4,head_dim=0", "head_dim is 0"),
            ("attention:heads=1,seq_q=4,seq_kv=3,head_dim=8,causal=yes", "the first queries would see no key"),
            ("attention:heads=1,seq_q=4,head_dim=8,causal=true", "none of no, yes"),
            ("attention:heads=70000,seq_q=70000,head_dim=1", "queries batch·heads·seq_q are more than"),
        ] {
            let error = catalogue.parse_shape(text).err().map(|error| error.0).unwrap_or_default();
            assert!(error.contains(names), "{text}: {error}");
        }
    }

    #[test]
    fn a_right_output_verifies_and_a_wrong_one_does_not() {
        let catalogue = Catalogue::builtin();
        for trans in ["nn", "nt", "tn", "tt"] {
            let text = format!("7x5x9-{trans}");
            let case = catalogue.case("gemm", Precision::F32, &text).unwrap();
            let inputs: Vec<_> =
                case.inputs().iter().enumerate().map(|(i, spec)| fill::normal(spec, 1, i as u64)).collect();
            let at = |tensor: usize, row: usize, column: usize, rows: usize, columns: usize| {
                let transposed = trans.as_bytes()[tensor] == b't';
                inputs[tensor].get(if transposed { column * rows + row } else { row * columns + column })
            };
            let mut output: Vec<f32> = (0..35)
                .map(|e| (0..9).map(|l| at(0, e / 5, l, 7, 9) * at(1, l, e % 5, 9, 5)).sum::<f64>() as f32)
                .collect();
            let verdict = case.verify(&inputs, &crate::Tensor::F32(output.clone()));
            assert!(verdict.ok, "{trans}: {verdict:?}");
            assert_eq!(verdict.checked, 35);
            output[34] += 1e-3;
            let verdict = case.verify(&inputs, &crate::Tensor::F32(output));
            assert!(!verdict.ok && verdict.worst.contains("row 6, column 4"), "{trans}: {verdict:?}");
        }
    }
    #[test]
    fn zeros_verify_and_what_a_run_left_as_it_was_does_not() {
        let catalogue = Catalogue::builtin();
        for (operation, large) in
            [("gemm", "512x512x512"), ("conv2d", "1x16x64x64-32x3x3-p1-nchw"), ("attention", "1x2x2-512x512x64-causal")]
        {
            for &precision in catalogue.operation(operation).unwrap().precisions() {
                let small = catalogue.operation(operation).unwrap().conformance().into_iter().take(3);
                let small =
                    small.map(|fields| catalogue.operation(operation).unwrap().case(precision, &fields).unwrap());
                for case in small.chain([catalogue.case(operation, precision, large).unwrap()]) {
                    let inputs: Vec<_> =
                        case.inputs().iter().zip(0..).map(|(spec, i)| fill::Fill::Zeros.tensor(spec, 1, i)).collect();
                    let mut output = fill::Fill::Zeros.tensor(&case.output(), 1, 9);
                    let verdict = case.verify(&inputs, &output);
                    assert!(verdict.ok, "{operation} {}: {verdict:?}", case.shape_text());
                    let pattern = fill::POISON.to_le_bytes();
                    output
                        .bytes_mut()
                        .iter_mut()
                        .zip(pattern.iter().cycle())
                        .for_each(|(byte, &poison)| *byte = poison);
                    assert!(!case.verify(&inputs, &output).ok, "{operation} {}", case.shape_text());
                }
            }
        }
    }
}
