//! Which cases are measured: the user's own shapes, or those that tell most on such a device.

use crate::CaseId;
use crate::case_id::ANY_VARIANT;
use crate::plan::chosen_devices;
use accelbench_backends::{DeviceInfo, DeviceKind, Language};
use accelbench_kernels::{Catalogue, NamedShape, Operation, Phase, Precision, Profile};
use std::collections::BTreeMap;

type Fields = BTreeMap<String, String>;

/// What a user chose. Empty lists choose everything.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Shapes of the user's own: operation and fields.
    pub own_shapes: Vec<(String, Fields)>,
    /// Operations by name.
    pub kernels: Vec<String>,
    /// Numeric types.
    pub precisions: Vec<Precision>,
    /// Devices (`opencl:1`) or whole backends (`opencl`).
    pub devices: Vec<String>,
}

/// A case that is to be measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// The case, of [`ANY_VARIANT`].
    pub id: CaseId,
    /// The shape's fields as on the command line.
    pub fields: Fields,
    /// The model and layer that the shape comes from; none for a user's own.
    pub origin: Option<&'static str>,
    /// Floating-point operations of one run.
    pub flop: f64,
    /// Bytes that the engine needs in main memory: inputs, output, and their f64 images.
    pub host_bytes: u64,
}

const TYPES: &[Precision] = &[Precision::F64, Precision::F32, Precision::F16];

/// On processors: squares of every size that caches tell apart, the layers of ResNet-50 that tell most, at a batch that
/// keeps every core busy, and attention. Operation, types, shapes as ids have them.
const ON_CPU: [(&str, &[Precision], &[&str]); 3] = [
    ("gemm", TYPES, &["1024x1024x1024", "1536x1536x1536", "2048x2048x2048", "3072x3072x3072"]),
    (
        "conv2d",
        TYPES,
        &[
            "16x64x56x56-64x3x3-p1-nchw",
            "16x128x28x28-128x3x3-p1-nchw",
            "16x256x14x14-256x3x3-p1-nchw",
            "16x512x7x7-512x3x3-p1-nchw",
            "16x256x56x56-64x1x1-nchw",
            "16x1024x14x14-256x1x1-nchw",
        ],
    ),
    ("attention", &[Precision::F32], &["1x8x8-2048x2048x128"]),
];

/// On a processor behind an API that is no processor's own, one size says as much as many.
const BY_SHADERS_ON_CPU: [(&str, &[Precision], &[&str]); 1] = [("gemm", TYPES, &["1536x1536x1536"])];

/// On a GPU, the types that only matrix units have, in the layout that all of these take.
const ON_MATRIX_UNITS: (&str, &[Precision], &[&str]) =
    ("gemm", &[Precision::Tf32, Precision::F8E4M3, Precision::I8], &["8192x8192x8192-nt"]);

/// The cases of a choice, device by device.
///
/// # Errors
/// One line that names what does not exist.
pub fn tasks(catalogue: &Catalogue, devices: &[DeviceInfo], choice: &Choice) -> Result<Vec<Task>, String> {
    for name in &choice.kernels {
        catalogue.operation(name).map_err(|error| error.0)?;
    }
    let mut tasks = Vec::new();
    for device in chosen_devices(devices, &choice.devices)? {
        for operation in catalogue.iter() {
            if !choice.kernels.is_empty() && !choice.kernels.iter().any(|name| name == operation.name()) {
                continue;
            }
            let shapes = if choice.own_shapes.is_empty() {
                usual(operation, device)
            } else {
                own(operation, &choice.own_shapes)
            };
            for (precision, fields, origin) in shapes {
                if choice.precisions.is_empty() || choice.precisions.contains(&precision) {
                    tasks.push(task(operation, device, precision, fields, origin)?);
                }
            }
        }
    }
    if tasks.is_empty() {
        return Err("no case matches this choice; name shapes such as gemm:m=1024,n=1024,k=1024, or leave out filters"
            .to_owned());
    }
    Ok(tasks)
}

type Chosen = (Precision, Fields, Option<&'static str>);

/// By type first, since that is how tables read.
fn own(operation: &dyn Operation, shapes: &[(String, Fields)]) -> Vec<Chosen> {
    let mine: Vec<&Fields> =
        shapes.iter().filter(|(name, _)| name == operation.name()).map(|(_, fields)| fields).collect();
    let all = operation.precisions().iter();
    all.flat_map(|&precision| mine.iter().map(move |fields| (precision, (*fields).clone(), None))).collect()
}

fn usual(operation: &dyn Operation, device: &DeviceInfo) -> Vec<Chosen> {
    let caps = &device.caps;
    if caps.kind == DeviceKind::Cpu {
        let shaders = caps.speaks(Language::Wgsl);
        let table: &[(&str, &[Precision], &[&str])] = if shaders { &BY_SHADERS_ON_CPU } else { &ON_CPU };
        return table
            .iter()
            .filter(|(name, ..)| *name == operation.name())
            .flat_map(|row| listed(operation, row))
            .collect();
    }
    let named = operation.shapes(Profile::Full).into_iter();
    let types = |shape: &NamedShape| match operation.name() {
        "gemm" => products(shape),
        "conv2d" if wide_layer(shape) => &[Precision::F16],
        "attention" if long_sequence(shape) => &[Precision::F16],
        _ => &[],
    };
    let mut chosen: Vec<Chosen> = named
        .flat_map(|shape| {
            types(&shape)
                .iter()
                .map(|&precision| (precision, shape.fields.clone(), Some(shape.origin)))
                .collect::<Vec<_>>()
        })
        .collect();
    if operation.name() == ON_MATRIX_UNITS.0 {
        chosen.extend(listed(operation, &ON_MATRIX_UNITS));
    }
    // Of types that not every device has, only those that this one has.
    chosen.retain(|(precision, ..)| precision.is_common() || precision.missing(caps).is_none());
    chosen.sort_by_key(|(precision, ..)| *precision);
    chosen
}

/// Shapes of a table, with the origin of the catalogue's shape that is the same, or the same at another batch.
fn listed(operation: &dyn Operation, (_, types, shapes): &(&str, &[Precision], &[&str])) -> Vec<Chosen> {
    let named = operation.shapes(Profile::Full);
    let small = |fields: &Fields| operation.at_small_batch(fields);
    // The texts are this file's own, and its tests read them all.
    let fields = shapes.iter().filter_map(|text| operation.parse_shape_text(text).ok());
    let known: Vec<(Fields, Option<&'static str>)> = fields
        .map(|fields| {
            let same = named.iter().find(|shape| shape.fields == fields);
            let alike = same.or_else(|| named.iter().find(|shape| small(&shape.fields) == small(&fields)));
            let origin = alike.map(|shape| shape.origin);
            (fields, origin)
        })
        .collect();
    types
        .iter()
        .flat_map(|&precision| known.iter().map(move |(fields, origin)| (precision, fields.clone(), *origin)))
        .collect()
}

fn number(shape: &NamedShape, field: &str) -> u64 {
    shape.fields.get(field).and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// Large squares, and every layer of a model.
fn products(shape: &NamedShape) -> &'static [Precision] {
    let side = |side: u64| ["m", "n", "k"].iter().all(|field| number(shape, field) == side);
    match shape.phase {
        Phase::Ladder if side(8192) => &[Precision::F64, Precision::F32, Precision::Bf16, Precision::F16],
        Phase::Ladder if !side(4096) => &[],
        _ => &[Precision::F16],
    }
}

/// A layer in training whose channels are too many for its data to be what bounds it.
fn wide_layer(shape: &NamedShape) -> bool {
    let wide = ["c", "k"].iter().all(|field| number(shape, field) >= 256);
    shape.phase == Phase::Training && wide && !shape.fields.contains_key("groups")
}

fn long_sequence(shape: &NamedShape) -> bool {
    let [queries, keys, head] = ["seq_q", "seq_kv", "head_dim"].map(|field| number(shape, field));
    queries == keys && [8192, 16384].contains(&keys) && head == 128
}

fn task(
    operation: &dyn Operation,
    device: &DeviceInfo,
    precision: Precision,
    fields: Fields,
    origin: Option<&'static str>,
) -> Result<Task, String> {
    let case = operation.case(precision, &fields).map_err(|error| error.0)?;
    let tensors = case.inputs().into_iter().chain([case.output()]);
    Ok(Task {
        id: CaseId {
            op: operation.name().to_owned(),
            precision,
            shape: case.shape_text(),
            variant: ANY_VARIANT.to_owned(),
            device: device.id.clone(),
        },
        flop: case.work().flop,
        host_bytes: tensors.map(|tensor| tensor.bytes().saturating_add(tensor.elements.saturating_mul(8))).sum(),
        fields,
        origin,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use accelbench_backends::{DType, DeviceId, Registry};

    fn host() -> DeviceInfo {
        Registry::builtin().open(&DeviceId::new("host", 0)).unwrap().info().clone()
    }

    fn gpu() -> DeviceInfo {
        let mut device = DeviceInfo { id: DeviceId::new("cuda", 0), ..host() };
        device.caps.kind = DeviceKind::Gpu;
        device
    }

    fn usual_of(device: DeviceInfo, choice: &Choice) -> Vec<Task> {
        tasks(&Catalogue::builtin(), &[device], choice).unwrap()
    }

    #[test]
    fn every_listed_shape_is_one_and_its_layer_is_known() {
        let all = usual_of(host(), &Choice::default());
        let listed: usize = ON_CPU.iter().map(|(_, types, shapes)| types.len() * shapes.len()).sum();
        assert_eq!(all.len(), listed);
        assert!(all.iter().all(|task| task.origin.is_some()), "{all:?}");
        let layer = all.iter().find(|task| task.id.shape == "16x64x56x56-64x3x3-p1-nchw").unwrap();
        assert_eq!(layer.origin, Some("ResNet-50 stage 1, 3x3"));
        assert!((layer.flop - 2.0 * 16.0 * 64.0 * 56.0 * 56.0 * 64.0 * 9.0).abs() < 1.0);
    }

    #[test]
    fn a_gpu_has_larger_ones() {
        let all = usual_of(gpu(), &Choice::default());
        let of =
            |op: &str, precision| all.iter().filter(|task| task.id.op == op && task.id.precision == precision).count();
        assert_eq!([Precision::F64, Precision::F32, Precision::Bf16].map(|precision| of("gemm", precision)), [1, 1, 0]);
        assert!(of("gemm", Precision::F16) >= 21, "8192 cubed and twenty named shapes");
        assert!(of("conv2d", Precision::F16) >= 10 && of("attention", Precision::F16) >= 4, "{all:?}");
        let narrow = |task: &&Task| task.id.op == "conv2d" && (task.fields["c"].parse::<u32>().unwrap() < 256);
        assert_eq!(all.iter().find(narrow), None);
        let mut large = gpu();
        large.caps.storage.extend(DType::ALL);
        large.caps.compute.extend(DType::ALL);
        let all = usual_of(large, &Choice::default());
        for precision in Precision::ALL.into_iter().filter(|precision| *precision != Precision::F16Acc16) {
            let of_it = |task: &Task| task.id.precision == precision && task.id.shape.starts_with("8192x8192x8192");
            assert!(all.iter().any(of_it), "{precision}");
        }
    }

    #[test]
    fn filters_hold_and_own_shapes_take_the_place_of_the_usual_ones() {
        let choice = Choice { kernels: vec!["gemm".to_owned()], precisions: vec![Precision::F32], ..Choice::default() };
        assert_eq!(usual_of(host(), &choice).len(), 4);
        let (_, fields) =
            Catalogue::builtin().parse_shape("gemm:m=3,n=4,k=5").map(|(op, fields)| (op.name(), fields)).unwrap();
        let choice = Choice { own_shapes: vec![("gemm".to_owned(), fields)], ..choice };
        let own = usual_of(host(), &choice);
        assert_eq!(own.iter().map(|task| task.id.to_string()).collect::<Vec<_>>(), ["gemm/f32/3x4x5/any@host:0"]);
        let wrong = Choice { kernels: vec!["gem".to_owned()], ..Choice::default() };
        assert!(tasks(&Catalogue::builtin(), &[host()], &wrong).unwrap_err().contains("unknown kernel `gem`"));
        let nothing =
            Choice { kernels: vec!["attention".to_owned()], precisions: vec![Precision::F64], ..Choice::default() };
        assert!(tasks(&Catalogue::builtin(), &[host()], &nothing).unwrap_err().contains("no case matches"));
    }
}
