//! Which cases a run has, in order.

use crate::CaseId;
use crate::case_id::NO_VARIANT;
use crate::tune::{Best, Known};
use accelbench_backends::DeviceInfo;
use accelbench_kernels::{Case, Catalogue, NamedShape, Operation, Precision, Profile};
use std::collections::{BTreeMap, BTreeSet};

/// A shape of the user's own: operation and fields.
pub type OwnShape = (String, BTreeMap<String, String>);

/// What a user chose. Empty lists choose everything.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Operations by name.
    pub kernels: Vec<String>,
    /// Numeric types.
    pub precisions: Vec<Precision>,
    /// Shapes of the profile, by their compact text.
    pub shapes: Vec<String>,
    /// Kernel families or libraries.
    pub variants: Vec<String>,
    /// Devices (`opencl:1`) or whole backends (`opencl`).
    pub devices: Vec<String>,
    /// A plan by name.
    pub plan: Option<String>,
    /// Shapes of the user's own, instead of the profile's.
    pub own_shapes: Vec<OwnShape>,
}

/// A case of a run, with what the row says of its shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The case.
    pub id: CaseId,
    /// Floating-point operations of one run.
    pub flop: f64,
    /// Bytes that the engine needs in main memory: inputs, output, and their f64 images.
    pub host_bytes: u64,
    /// The shape's fields as on the command line.
    pub fields: BTreeMap<String, String>,
    /// Where the shape comes from; none for a user's own.
    pub named: Option<NamedShape>,
    /// The plan that is known to be the best, if it is of this variant and the command names none.
    pub best: Option<Best>,
}

/// Shapes from the command line, such as `gemm:m=64,n=64,k=64`.
///
/// # Errors
/// One line that names what is off and the form that it should have.
pub fn own_shapes(catalogue: &Catalogue, texts: &[String]) -> Result<Vec<OwnShape>, String> {
    let parse =
        |text: &String| catalogue.parse_shape(text).map(|(operation, fields)| (operation.name().to_owned(), fields));
    texts.iter().map(parse).collect::<Result<_, _>>().map_err(|error| error.0)
}

/// Spreads a selection over the devices that were found.
///
/// A device that lacks a numeric type altogether gets one row that says so, and not one for each shape; of a type that not
/// every device is asked for, only where the selection names it. A device's operations take turns, so that each has its
/// share where time runs out; shapes of a user's own keep their order. `known` are the plans that won before.
///
/// # Errors
/// One line that names what does not exist, or does not fit on any device.
pub fn expand(
    catalogue: &Catalogue,
    devices: &[DeviceInfo],
    selection: &Selection,
    profile: Profile,
    known: &Known,
) -> Result<Vec<Planned>, String> {
    let devices = chosen_devices(devices, &selection.devices)?;
    for name in &selection.kernels {
        catalogue.operation(name).map_err(|error| error.0)?;
    }
    for (own, fields) in &selection.own_shapes {
        let operation = catalogue.operation(own).map_err(|error| error.0)?;
        fits_somewhere(operation, fields, &devices, &selection.precisions)?;
    }
    let mut planned = Vec::new();
    let mut known_shapes = BTreeSet::new();
    let mut known_variants = BTreeSet::new();
    for device in &devices {
        let mut queues: Vec<Vec<Planned>> = Vec::new();
        for operation in catalogue.iter().filter(|operation| chosen(&selection.kernels, operation.name())) {
            let mut queue = Vec::new();
            let mut lacking: Vec<Precision> = Vec::new();
            for (fields, named) in shapes(operation, selection, profile) {
                for &precision in operation.precisions() {
                    if !selection.precisions.is_empty() && !selection.precisions.contains(&precision)
                        || lacking.contains(&precision)
                    {
                        continue;
                    }
                    let case = operation.case(precision, &fields).map_err(|error| error.0)?;
                    let shape = case.shape_text();
                    let wanted = chosen(&selection.shapes, &shape);
                    known_shapes.insert(shape);
                    if !wanted {
                        continue;
                    }
                    if precision.missing(&device.caps).is_some() {
                        lacking.push(precision);
                        if selection.precisions.is_empty() && !precision.is_common() {
                            continue;
                        }
                    }
                    let best = known.best(device, &*case).filter(|_| selection.plan.is_none());
                    for variant in case_variants(&*case, device, selection, profile, best.as_ref()) {
                        known_variants.insert(variant.clone());
                        if variant == NO_VARIANT || chosen(&selection.variants, &variant) {
                            let named = named.clone();
                            queue.push(plan_case(&*case, device, variant, &fields, named, best.as_ref()));
                        }
                    }
                }
            }
            queues.push(queue);
        }
        planned.extend(if selection.own_shapes.is_empty() { in_turns(queues) } else { queues.concat() });
    }
    known_variants.remove(NO_VARIANT);
    if let Some(name) = selection.shapes.iter().find(|name| !known_shapes.contains(*name)) {
        return Err(format!(
            "no shape `{name}` is among those chosen from; `accelbench list` shows those of the profiles, and shapes of \
             your own are written as KERNEL:FIELD=VALUE,…"
        ));
    }
    if let Some(name) = selection.plan.as_ref().filter(|_| planned.is_empty()) {
        return Err(format!(
            "no plan `{name}` computes any of the chosen cases; `accelbench list --plans` shows plans"
        ));
    }
    // Where the devices lack the type altogether, the rows say so whatever the variant.
    let unknown = selection.variants.iter().find(|name| !known_variants.contains(*name));
    if let Some(name) = unknown.filter(|_| !known_variants.is_empty() || planned.is_empty()) {
        let known: Vec<_> = known_variants.into_iter().collect();
        return Err(format!("no variant `{name}` computes any of the chosen cases; there are {}", known.join(", ")));
    }
    if planned.is_empty() {
        return Err("no case matches this selection; `accelbench list` shows what there is".to_owned());
    }
    Ok(planned)
}

/// One from each queue in turn, until all are empty.
fn in_turns(queues: Vec<Vec<Planned>>) -> Vec<Planned> {
    let longest = queues.iter().map(Vec::len).max().unwrap_or(0);
    let mut queues: Vec<_> = queues.into_iter().map(Vec::into_iter).collect();
    (0..longest).flat_map(|_| queues.iter_mut().filter_map(Iterator::next).collect::<Vec<_>>()).collect()
}

fn chosen(list: &[String], name: &str) -> bool {
    list.is_empty() || list.iter().any(|wanted| wanted == name)
}

/// The devices that these names choose: of one device (`opencl:1`) or of a whole backend (`opencl`); all without a name.
///
/// # Errors
/// One line that names the device that was not found.
pub fn chosen_devices<'a>(devices: &'a [DeviceInfo], wanted: &[String]) -> Result<Vec<&'a DeviceInfo>, String> {
    let matches = |device: &DeviceInfo, name: &str| device.id.to_string() == name || device.id.backend == name;
    for name in wanted {
        if !devices.iter().any(|device| matches(device, name)) {
            let known: Vec<String> = devices.iter().map(|device| device.id.to_string()).collect();
            return Err(format!(
                "no device `{name}` was found; there are {} (`accelbench doctor` says what is missing)",
                known.join(", ")
            ));
        }
    }
    Ok(devices.iter().filter(|device| wanted.is_empty() || wanted.iter().any(|name| matches(device, name))).collect())
}

fn shapes(
    operation: &dyn Operation,
    selection: &Selection,
    profile: Profile,
) -> Vec<(BTreeMap<String, String>, Option<NamedShape>)> {
    if selection.own_shapes.is_empty() {
        operation.shapes(profile).into_iter().map(|shape| (shape.fields.clone(), Some(shape))).collect()
    } else {
        let own = selection.own_shapes.iter().filter(|(name, _)| name == operation.name());
        own.map(|(_, fields)| (fields.clone(), None)).collect()
    }
}

/// The best known or else the preferred kernel of the program's own, and every library; `--full`, or a variant by name,
/// takes all families.
fn case_variants(
    case: &dyn Case,
    device: &DeviceInfo,
    selection: &Selection,
    profile: Profile,
    best: Option<&Best>,
) -> Vec<String> {
    if let Some(name) = &selection.plan {
        return case.plan(&device.caps, name).map(|plan| plan.variant()).into_iter().collect();
    }
    let libraries = device.caps.libraries(case.op());
    let plans = case.plans(&device.caps).into_iter().map(|plan| plan.variant());
    let all: Vec<String> = plans.chain(best.map(|best| best.variant.clone())).collect();
    let own = best.map(|best| &best.variant).or_else(|| all.iter().find(|variant| !libraries.contains(*variant)));
    let every_family = profile == Profile::Full || !selection.variants.is_empty();
    let mut variants: Vec<String> = Vec::new();
    for variant in &all {
        let wanted = every_family || libraries.contains(variant) || Some(variant) == own;
        if wanted && !variants.contains(variant) {
            variants.push(variant.clone());
        }
    }
    // Those of the machine first: what is measured after them is held against them.
    variants.sort_by_key(|variant| !device.caps.external.contains_key(variant));
    if variants.is_empty() {
        variants.push(NO_VARIANT.to_owned());
    }
    variants
}

fn plan_case(
    case: &dyn Case,
    device: &DeviceInfo,
    variant: String,
    fields: &BTreeMap<String, String>,
    named: Option<NamedShape>,
    best: Option<&Best>,
) -> Planned {
    let output = case.output();
    let tensors: Vec<_> = case.inputs().into_iter().chain([output]).collect();
    Planned {
        best: best.filter(|best| best.variant == variant).cloned(),
        id: CaseId {
            op: case.op().to_owned(),
            precision: case.precision(),
            shape: case.shape_text(),
            variant,
            device: device.id.clone(),
        },
        flop: case.work().flop,
        host_bytes: tensors.iter().map(|tensor| tensor.bytes().saturating_add(tensor.elements.saturating_mul(8))).sum(),
        fields: fields.clone(),
        named,
    }
}

/// The planned case that an id names, as a resumed run finds it in its file's header.
///
/// # Errors
/// One line that names what this program does not know.
pub fn from_id(catalogue: &Catalogue, id: &CaseId, device: &DeviceInfo, known: &Known) -> Result<Planned, String> {
    let operation = catalogue.operation(&id.op).map_err(|error| error.0)?;
    let fields = operation.parse_shape_text(&id.shape).map_err(|error| error.0)?;
    let case = operation.case(id.precision, &fields).map_err(|error| error.0)?;
    let named = operation.shapes(Profile::Full).into_iter().find(|shape| shape.fields == fields);
    let best = known.best(device, &*case);
    Ok(plan_case(&*case, device, id.variant.clone(), &fields, named, best.as_ref()))
}

/// A user's own shape that no chosen device can hold is a mistake in the command, not a result.
fn fits_somewhere(
    operation: &dyn Operation,
    fields: &BTreeMap<String, String>,
    devices: &[&DeviceInfo],
    precisions: &[Precision],
) -> Result<(), String> {
    let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
    let mut smallest = u64::MAX;
    let mut shape = String::new();
    for &precision in operation.precisions() {
        if !precisions.is_empty() && !precisions.contains(&precision) {
            continue;
        }
        let case = operation.case(precision, fields).map_err(|error| error.0)?;
        let bytes = case.inputs().iter().fold(case.output().bytes(), |sum, tensor| sum.saturating_add(tensor.bytes()));
        smallest = smallest.min(bytes);
        shape = case.shape_text();
    }
    let largest = devices.iter().map(|device| device.caps.memory_bytes.unwrap_or(u64::MAX)).max().unwrap_or(u64::MAX);
    if smallest <= largest {
        return Ok(());
    }
    Err(format!(
        "{} {shape} needs at least {:.1} GiB and the largest of the chosen devices has {:.1} GiB; choose smaller sizes",
        operation.name(),
        gib(smallest),
        gib(largest)
    ))
}
