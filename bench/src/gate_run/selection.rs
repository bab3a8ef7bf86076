//! The selection of cases, as `accelbench run` takes it and as it applies to a stored run.

use crate::CaseId;
use accelbench_kernels::{Catalogue, Profile};

/// What a user chose. Empty lists choose everything.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Shapes of the user's own, such as `gemm:m=64,n=64,k=64`, instead of the profile's.
    pub own_shapes: Vec<String>,
    /// Operations by name.
    pub kernels: Vec<String>,
    /// Numeric types by name.
    pub dtypes: Vec<String>,
    /// Shapes of the profile, by their compact text.
    pub shapes: Vec<String>,
    /// Kernel families or libraries.
    pub variants: Vec<String>,
    /// A plan by name.
    pub plan: Option<String>,
    /// Devices or whole backends.
    pub devices: Vec<String>,
    /// Cold caches instead of warm ones.
    pub cold: bool,
    /// Of the inputs.
    pub seed: u64,
}

impl Selection {
    /// The arguments that make `accelbench run` choose so.
    pub(super) fn arguments(&self, profile: Profile) -> Vec<String> {
        let lists = [
            ("--kernel", &self.kernels),
            ("--dtype", &self.dtypes),
            ("--shape", &self.shapes),
            ("--variant", &self.variants),
            ("--device", &self.devices),
        ];
        let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
        let mut arguments: Vec<String> =
            lists.flat_map(|(name, list)| [name.to_owned(), list.join(",")]).chain(self.own_shapes.clone()).collect();
        if let Some(plan) = &self.plan {
            arguments.extend(["--plan".to_owned(), plan.clone()]);
        }
        if self.cold {
            arguments.extend(["--cache".to_owned(), "cold".to_owned()]);
        }
        arguments.extend(["--seed".to_owned(), self.seed.to_string()]);
        match profile {
            Profile::Quick => arguments.push("--quick".to_owned()),
            Profile::Standard => {}
            Profile::Full => arguments.push("--full".to_owned()),
        }
        arguments
    }

    /// Whether a case of a stored run is chosen.
    ///
    /// # Errors
    /// One line that names a shape of the user's that makes no sense.
    pub(super) fn chooses(&self, case: &str, catalogue: &Catalogue) -> Result<bool, String> {
        let id: CaseId = case.parse()?;
        let chosen = |list: &[String], name: &str| list.is_empty() || list.iter().any(|wanted| wanted == name);
        let mut own = self.own_shapes.is_empty();
        for text in &self.own_shapes {
            let (operation, fields) = catalogue.parse_shape(text).map_err(|error| error.0)?;
            let shape = operation.case(id.precision, &fields).map(|case| case.shape_text());
            own |= operation.name() == id.op && shape.is_ok_and(|shape| shape == id.shape);
        }
        let device = id.device.to_string();
        Ok(own
            && chosen(&self.kernels, &id.op)
            && chosen(&self.dtypes, id.precision.name())
            && chosen(&self.shapes, &id.shape)
            && chosen(&self.variants, &id.variant)
            && (self.devices.is_empty()
                || self.devices.iter().any(|wanted| *wanted == device || *wanted == id.device.backend)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_chosen_by_each_of_its_parts() {
        let chooses = |selection: &Selection| {
            selection.chooses("gemm/f32/64x64x64/tiled@opencl:1", &Catalogue::builtin()).unwrap()
        };
        let some = |text: &str| vec!["x".to_owned(), text.to_owned()];
        assert!(chooses(&Selection::default()));
        let all = Selection {
            own_shapes: vec!["gemm:m=32,n=32,k=32".to_owned(), "gemm:m=64,n=64,k=64".to_owned()],
            kernels: some("gemm"),
            dtypes: some("f32"),
            shapes: some("64x64x64"),
            variants: some("tiled"),
            devices: some("opencl"),
            ..Selection::default()
        };
        assert!(chooses(&all));
        assert!(chooses(&Selection { devices: some("opencl:1"), ..all.clone() }));
        for other in [
            Selection { own_shapes: vec!["gemm:m=32,n=32,k=32".to_owned()], ..all.clone() },
            Selection { kernels: some("conv2d"), ..all.clone() },
            Selection { dtypes: some("f64"), ..all.clone() },
            Selection { shapes: some("32x32x32"), ..all.clone() },
            Selection { variants: some("packed"), ..all.clone() },
            Selection { devices: some("opencl:0"), ..all.clone() },
        ] {
            assert!(!chooses(&other), "{other:?}");
        }
    }
}
