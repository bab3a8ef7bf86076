//! The WebGPU backend on the first adapter of this machine. Where there is none, each test says that it was left out,
//! or fails if `ACCELBENCH_REQUIRE` names `webgpu`.
#![cfg(feature = "webgpu")]

use accelbench_backends::webgpu::WebGpuDriver;
use accelbench_backends::{
    Access, Buffer, Clock, Command, Device, Driver, Error, Kernel, KernelSpec, Language, Launch, Presence, Source, Span,
};
use std::time::Instant;

fn device() -> Option<Box<dyn Device>> {
    match WebGpuDriver.probe() {
        Presence::Present { .. } => Some(WebGpuDriver.open(0).unwrap()),
        Presence::Absent(absence) => {
            let required = std::env::var("ACCELBENCH_REQUIRE").is_ok_and(|names| names.contains("webgpu"));
            assert!(!required, "no WebGPU adapter: {absence:?}");
            eprintln!("left out: no WebGPU adapter");
            None
        }
    }
}

fn spec(source: &str, group: [u32; 3], bindings: &[Access], params_bytes: u32) -> KernelSpec {
    KernelSpec {
        source: Source::Wgsl(source.to_owned().into()),
        entry: "main".into(),
        defines: Vec::new(),
        group,
        shared_bytes: 0,
        bindings: bindings.to_vec(),
        params_bytes,
    }
}

const AXPY: &str = "
struct Params { length: u32, factor: f32, addend: f32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) item: vec3<u32>) {
    if (item.x < params.length) { y[item.x] += params.factor * x[item.x] + params.addend; }
}";

fn axpy(device: &dyn Device) -> Kernel {
    device.compile(&spec(AXPY, [64, 1, 1], &[Access::Read, Access::Write], 12)).unwrap()
}

/// Iterates a logistic map, which no compiler can shorten.
const SPIN: &str = "
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<uniform> rounds: vec4<u32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) item: vec3<u32>) {
    var x = 0.3 + f32(item.x) * 1e-6;
    for (var i = 0u; i < rounds.x; i++) { x = 3.9 * x * (1.0 - x); }
    y[item.x] = x;
}";

fn params(length: u32, factor: f32, addend: f32) -> Vec<u8> {
    [length.to_le_bytes(), factor.to_le_bytes(), addend.to_le_bytes()].concat()
}

fn run(device: &dyn Device, commands: &[Command<'_>]) -> Vec<Span> {
    let ticket = device.submit(commands).unwrap();
    device.wait(ticket).unwrap()
}

fn read(device: &dyn Device, buffer: &Buffer) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(buffer.bytes()).unwrap()];
    device.download(buffer, 0, &mut bytes).unwrap();
    bytes
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|word| f32::from_le_bytes(word.try_into().unwrap())).collect()
}

#[test]
fn describes_itself() {
    let Some(device) = device() else { return };
    let info = device.info();
    eprintln!("{info:#?}");
    assert_eq!(info.id.to_string(), "webgpu:0");
    assert!(!info.name.is_empty() && !info.vendor.is_empty() && !info.driver.is_empty());
    assert!(info.caps.speaks(Language::Wgsl));
    assert!(info.caps.max_buffer_bytes >= 128 << 20);
    assert!(!info.caps.facts.keys().any(|fact| fact.starts_with("no ")), "{:?}", info.caps.facts);
    assert!(matches!(WebGpuDriver.open(99), Err(Error::Unavailable { .. })));
}

#[test]
fn moves_bytes_at_any_offset_and_length() {
    let Some(device) = device() else { return };
    let buffer = device.alloc(1003).unwrap();
    let mut expected: Vec<u8> = (0..1003u32).map(|i| (i * 7) as u8).collect();
    device.upload(&buffer, 0, &expected).unwrap();
    assert_eq!(read(&*device, &buffer), expected);
    for (offset, length) in
        [(0, 1), (1, 1), (3, 2), (5, 3), (4, 4), (7, 100), (996, 7), (1002, 1), (1003, 0), (0, 1003)]
    {
        let patch: Vec<u8> = (0..length).map(|i| (i * 3 + offset) as u8).collect();
        device.upload(&buffer, offset as u64, &patch).unwrap();
        expected[offset..][..length].copy_from_slice(&patch);
        let mut part = vec![0; length];
        device.download(&buffer, offset as u64, &mut part).unwrap();
        assert_eq!(part, patch, "{length} bytes at {offset}");
        assert_eq!(read(&*device, &buffer), expected, "around {length} bytes at {offset}");
    }
}

#[test]
fn moves_more_than_one_chunk() {
    let Some(device) = device() else { return };
    let bytes: Vec<u8> = (0..(64u32 << 20) + 5).map(|i| (i >> 4 ^ i) as u8).collect();
    let buffer = device.alloc(bytes.len() as u64).unwrap();
    device.upload(&buffer, 0, &bytes).unwrap();
    assert!(read(&*device, &buffer) == bytes);
    let mut tail = vec![0; bytes.len() - 3];
    device.download(&buffer, 3, &mut tail).unwrap();
    assert!(tail == bytes[3..]);
}

#[test]
fn copies_and_fills() {
    let Some(device) = device() else { return };
    let (from, to) = (device.alloc(32).unwrap(), device.alloc(27).unwrap());
    let pattern = 0x8000_7fc1_u32;
    run(
        &*device,
        &[
            Command::Fill { dst: &from, pattern: 0 },
            Command::Fill { dst: &to, pattern },
            Command::Copy { src: &from, src_offset: 4, dst: &to, dst_offset: 8, bytes: 12 },
        ],
    );
    let mut expected = pattern.to_le_bytes().repeat(7);
    expected.truncate(27);
    expected[8..20].fill(0);
    assert_eq!(read(&*device, &to), expected);

    let large = device.alloc((100 << 20) + 2).unwrap();
    run(&*device, &[Command::Fill { dst: &large, pattern }]);
    let bytes = read(&*device, &large);
    assert!(bytes.chunks(4).all(|word| word == &pattern.to_le_bytes()[..word.len()]));
}

#[test]
fn launches_with_parameters_in_order() {
    let Some(device) = device() else { return };
    let kernel = axpy(&*device);
    let length = 1000u32;
    let (x, y) = (device.alloc(4000).unwrap(), device.alloc(4000).unwrap());
    let values: Vec<u8> = (0..length).flat_map(|i| (i as f32).to_le_bytes()).collect();
    device.upload(&x, 0, &values).unwrap();
    let blocks = [params(length, 2.0, 1.0), params(500, 1.0, 0.5)];
    let launch = |index: usize| {
        Command::Launch(Launch { kernel: &kernel, grid: [16, 1, 1], buffers: &[], params: &blocks[index] })
    };
    // A launch with the wrong number of buffers, to be caught before anything runs.
    assert!(matches!(device.submit(&[launch(0)]), Err(Error::InvalidArgument(_))));
    let buffers = [&x, &y];
    let launch = |index: usize| {
        Command::Launch(Launch { kernel: &kernel, grid: [16, 1, 1], buffers: &buffers, params: &blocks[index] })
    };
    let fill = Command::Fill { dst: &y, pattern: 1f32.to_bits() };
    for _ in 0..3 {
        run(&*device, &[fill.clone(), launch(0), launch(1), launch(1)]);
        let expected: Vec<f32> = (0..length)
            .map(|i| 1.0 + 2.0 * i as f32 + 1.0 + if i < 500 { 2.0 * (i as f32 + 0.5) } else { 0.0 })
            .collect();
        assert_eq!(floats(&read(&*device, &y)), expected);
    }
}

#[test]
fn keeps_arguments_apart_and_frees_buffers() {
    let Some(device) = device() else { return };
    let kernel = axpy(&*device);
    // More sets of arguments than are kept, and far more memory than there is if none of it were freed.
    for round in 0..600u32 {
        let (x, y) = (device.alloc(64 << 20).unwrap(), device.alloc(64).unwrap());
        let block = params(16, 1.0, round as f32);
        run(
            &*device,
            &[
                Command::Fill { dst: &y, pattern: 0 },
                Command::Launch(Launch { kernel: &kernel, grid: [1, 1, 1], buffers: &[&x, &y], params: &block }),
            ],
        );
        assert_eq!(floats(&read(&*device, &y)), [round as f32; 16]);
    }
}

#[test]
fn refuses_what_does_not_compile() {
    let Some(device) = device() else { return };
    let compile = |source: &str, group| device.compile(&spec(source, group, &[Access::Write], 0));
    let log = |source: &str| match compile(source, [1, 1, 1]) {
        Err(Error::Compile { log, entry }) => {
            assert_eq!(entry, "main");
            eprintln!("{log}\n---");
            log
        }
        other => panic!("{other:?}"),
    };
    assert!(log("@compute @workgroup_size(1) fn main() { let x = nonsense; }").contains("nonsense"));
    assert!(log("@compute @workgroup_size(1) fn main() { let x: u32 = 1.5; }").contains("u32"));
    assert!(log("@compute @workgroup_size(1) fn other() {}").contains("entry"));
    // A binding that the declaration does not have.
    log("@group(0) @binding(1) var<storage, read_write> y: array<f32>;
         @compute @workgroup_size(1) fn main() { y[0] = 1.0; }");
    // A buffer that is declared as written and bound as read only.
    log("@group(0) @binding(0) var<storage, read> y: array<f32>;
         @group(0) @binding(1) var<storage, read_write> z: array<f32>;
         @compute @workgroup_size(1) fn main() { z[0] = y[0]; }");
    let empty = "@compute @workgroup_size(2) fn main() {}";
    assert!(matches!(compile(empty, [1, 1, 1]), Err(Error::InvalidArgument(_))));
    assert!(compile(empty, [2, 1, 1]).is_ok());
    assert!(matches!(compile(empty, [0, 1, 1]), Err(Error::InvalidArgument(_))));
    assert!(matches!(compile(empty, [1 << 20, 1, 1]), Err(Error::LimitExceeded { .. })));
    let opencl = KernelSpec { source: Source::OpenClC("".into()), ..spec(empty, [2, 1, 1], &[], 0) };
    assert!(matches!(device.compile(&opencl), Err(Error::Unsupported { .. })));
    let defined = KernelSpec { defines: vec![("A".into(), "1".into())], ..spec(empty, [2, 1, 1], &[], 0) };
    assert!(matches!(device.compile(&defined), Err(Error::InvalidArgument(_))));
}

#[test]
fn refuses_wrong_arguments_and_stays_usable() {
    let Some(device) = device() else { return };
    let kernel = axpy(&*device);
    let (x, y) = (device.alloc(64).unwrap(), device.alloc(64).unwrap());
    let block = params(16, 1.0, 1.0);
    let launch = |grid, buffers: &[&Buffer], params: &[u8]| {
        device.submit(&[Command::Launch(Launch { kernel: &kernel, grid, buffers, params })])
    };
    let invalid = |result: Result<_, Error>| assert!(matches!(result, Err(Error::InvalidArgument(_))), "{result:?}");
    invalid(launch([1, 1, 1], &[&x], &block));
    invalid(launch([0, 1, 1], &[&x, &y], &block));
    invalid(launch([1, 1, 1], &[&x, &y], &block[4..]));
    // The same buffer read and written.
    invalid(launch([1, 1, 1], &[&x, &x], &block));
    invalid(device.submit(&[Command::Begin]));
    invalid(device.submit(&[Command::End]));
    invalid(device.submit(&[Command::Begin, Command::Begin, Command::End]));
    invalid(device.submit(&[Command::Copy { src: &x, src_offset: 1, dst: &y, dst_offset: 0, bytes: 4 }]));
    invalid(device.submit(&[Command::Copy { src: &x, src_offset: 0, dst: &x, dst_offset: 32, bytes: 4 }]));
    invalid(device.submit(&[Command::Copy { src: &x, src_offset: 64, dst: &y, dst_offset: 0, bytes: 4 }]));
    assert!(matches!(launch([u32::MAX, 1, 1], &[&x, &y], &block), Err(Error::LimitExceeded { .. })));
    assert!(matches!(device.upload(&x, 60, &[0; 5]), Err(Error::InvalidArgument(_))));
    assert!(matches!(device.download(&x, u64::MAX, &mut [0; 5]), Err(Error::InvalidArgument(_))));

    let other = WebGpuDriver.open(0).unwrap();
    let foreign = other.alloc(64).unwrap();
    assert!(matches!(launch([1, 1, 1], &[&x, &foreign], &block), Err(Error::ForeignHandle { what: "buffer" })));
    assert!(matches!(device.upload(&foreign, 0, &[1; 4]), Err(Error::ForeignHandle { .. })));
    let launch_there = Launch { kernel: &kernel, grid: [1, 1, 1], buffers: &[&foreign, &foreign], params: &block };
    assert!(matches!(other.submit(&[Command::Launch(launch_there)]), Err(Error::ForeignHandle { .. })));
    let ticket = device.submit(&[]).unwrap();
    assert!(matches!(other.wait(ticket), Err(Error::ForeignHandle { what: "ticket" })));

    let ticket = launch([1, 1, 1], &[&x, &y], &block).unwrap();
    assert_eq!(device.wait(ticket).unwrap(), []);
}

#[test]
fn refuses_buffers_that_are_too_large() {
    let Some(device) = device() else { return };
    assert!(matches!(device.alloc(0), Err(Error::InvalidArgument(_))));
    for bytes in [device.caps().max_buffer_bytes + 1, 1 << 45, u64::MAX] {
        match device.alloc(bytes) {
            Err(Error::OutOfMemory { asked, .. } | Error::LimitExceeded { asked, .. }) => assert_eq!(asked, bytes),
            other => panic!("{other:?}"),
        }
    }
    // Buffers up to the limit, until there is no memory left.
    let mut held = Vec::new();
    let end =
        (0..4096).find_map(|_| device.alloc(device.caps().max_buffer_bytes).map(|buffer| held.push(buffer)).err());
    eprintln!("{} buffers of {} bytes, then {end:?}", held.len(), device.caps().max_buffer_bytes);
    assert!(matches!(end, None | Some(Error::OutOfMemory { .. })), "{end:?}");
    drop(held);
    assert!(device.alloc(1 << 20).is_ok());
}

#[test]
fn spans_agree_with_the_wall_clock() {
    let Some(device) = device() else { return };
    let kernel = device.compile(&spec(SPIN, [64, 1, 1], &[Access::Write], 16)).unwrap();
    let (y, copy) = (device.alloc(8192 * 256).unwrap(), device.alloc(4096).unwrap());
    let buffers = [&y];
    // llvmpipe ends all loops of an invocation after 65 535 rounds, so a longer run takes more work-groups.
    let rounds = |count: u32| [count.to_le_bytes(), [0; 4], [0; 4], [0; 4]].concat();
    let (many, one) = (rounds(50_000), rounds(1));
    let launch =
        |groups, params| Command::Launch(Launch { kernel: &kernel, grid: [groups, 1, 1], buffers: &buffers, params });
    let wall = |groups| {
        let start = Instant::now();
        run(&*device, &[launch(groups, &many)]);
        start.elapsed()
    };
    let mut groups = 2;
    while groups < 8192 && wall(groups).as_millis() < 100 {
        groups *= 2;
    }
    let (long, short) = (launch(groups, &many), launch(1, &one));
    let commands = [
        long.clone(),
        Command::Begin,
        long.clone(),
        Command::End,
        Command::Begin,
        short.clone(),
        Command::End,
        Command::Begin,
        long.clone(),
        Command::Copy { src: &y, src_offset: 0, dst: &copy, dst_offset: 0, bytes: 4096 },
        long.clone(),
        Command::End,
        Command::Begin,
        Command::End,
    ];
    // The machine may be busy with other things, so bounds are wide, and one time within them will do: a stamp at the
    // wrong end is wrong every time.
    let attempt = || {
        let wall = wall(groups).as_secs_f64() * 1e9;
        let start = Instant::now();
        let spans = run(&*device, &commands);
        let all = start.elapsed().as_secs_f64() * 1e9;
        assert_eq!(spans.len(), 4);
        assert!(spans.iter().all(|span| span.clock == device.caps().clock));
        let [one, short, two, none] = [0, 1, 2, 3].map(|index| spans[index].ns);
        let wrong = [
            (one < 0.4 * wall || one > 0.6 * all, "one launch"),
            (short > 0.3 * one, "a short launch"),
            (two < 1.3 * one || two > 0.9 * all, "two launches"),
            (none > 0.1 * one, "nothing"),
            (one + short + two + none > all, "everything"),
        ];
        let wrong: Vec<_> = wrong.into_iter().filter_map(|(is_wrong, what)| is_wrong.then_some(what)).collect();
        eprintln!("one launch {wall:.0} ns by the wall, all {all:.0} ns, spans {spans:?}, wrong {wrong:?}");
        wrong.is_empty()
    };
    assert_ne!(device.caps().clock, Clock::DeviceEvent);
    assert!((0..5).any(|_| attempt()), "five times out of bounds");
}

#[test]
fn submissions_can_be_waited_for_in_any_order() {
    let Some(device) = device() else { return };
    let x = device.alloc(4096).unwrap();
    let fill = [Command::Begin, Command::Fill { dst: &x, pattern: 7 }, Command::End];
    let tickets: Vec<_> = (0..20).map(|_| device.submit(&fill).unwrap()).collect();
    for ticket in tickets.into_iter().rev() {
        assert_eq!(device.wait(ticket).unwrap().len(), 1);
    }
    let many: Vec<_> = fill.iter().cycle().take(3 * 2048).cloned().collect();
    assert_eq!(run(&*device, &many).len(), 2048);
    let too_many: Vec<_> = fill.iter().cycle().take(3 * 2049).cloned().collect();
    let refused = device.submit(&too_many);
    assert!(device.caps().clock == Clock::HostWall || matches!(refused, Err(Error::LimitExceeded { .. })));
}
