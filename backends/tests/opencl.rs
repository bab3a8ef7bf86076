//! The OpenCL backend on every device of this machine.
//!
//! Where there is none, each test says `left out: no OpenCL`; with `opencl` in `ACCELBENCH_REQUIRE` it fails instead.
#![cfg(feature = "opencl")]

use accelbench_backends::opencl::OpenClDriver;
use accelbench_backends::{
    Access, Clock, Command, Device, DeviceKind, Driver, Error, Kernel, KernelSpec, Language, Launch, LibraryCall,
    Presence, Source,
};
use serde_json::Value;

/// Adds `params.add` to each of `params.count` integers.
const ADD: &str = "
typedef struct { uint count; uint add; } params_t;
kernel void add(global const uint *from, global uint *to, params_t params)
{
    const size_t i = get_global_id(0) + get_global_size(0) * get_global_id(1);
    if (i < params.count)
        to[i] = from[i] * SCALE + params.add;
}
";

fn spec(text: &'static str, entry: &str) -> KernelSpec {
    KernelSpec {
        source: Source::OpenClC(text.into()),
        entry: entry.to_owned(),
        defines: vec![("SCALE".to_owned(), "1".to_owned())],
        group: [16, 1, 1],
        shared_bytes: 0,
        bindings: vec![Access::Read, Access::Write],
        params_bytes: 8,
    }
}

/// Runs a test on each device, or says that there is none.
fn on_every_device(test: impl Fn(&dyn Device)) {
    match OpenClDriver.probe() {
        Presence::Present { devices, .. } => {
            assert!(!devices.is_empty(), "a backend that is present has a device");
            for info in devices {
                let device = OpenClDriver.open(info.id.index).expect("a device that was found opens");
                assert_eq!(device.info(), &info, "a device is the same when probed and when opened");
                println!("on {} {}", info.id, info.name);
                test(&*device);
            }
        }
        Presence::Absent(absence) => {
            let required = std::env::var("ACCELBENCH_REQUIRE").unwrap_or_default();
            assert!(!required.contains("opencl"), "OpenCL is required: {}", absence.detail);
            println!("left out: no OpenCL ({})", absence.detail);
        }
    }
}

fn words(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn read(device: &dyn Device, buffer: &accelbench_backends::Buffer) -> Vec<u8> {
    let mut bytes = vec![0; buffer.bytes() as usize];
    device.download(buffer, 0, &mut bytes).expect("download");
    bytes
}

fn launch<'a>(
    kernel: &'a Kernel,
    buffers: &'a [&'a accelbench_backends::Buffer],
    groups: u32,
    params: &'a [u8],
) -> Command<'a> {
    Command::Launch(Launch { kernel, grid: [groups, 1, 1], buffers, params })
}

#[test]
fn capabilities_are_plausible() {
    on_every_device(|device| {
        let (info, caps) = (device.info(), device.caps());
        assert!(!info.name.is_empty() && !info.driver.is_empty());
        assert!(caps.speaks(Language::OpenClC) && caps.clock == Clock::DeviceEvent);
        assert!(caps.max_group_items >= 1 && caps.max_group.iter().all(|&side| side >= 1));
        assert!(caps.local_bytes >= 1 << 10 && caps.max_buffer_bytes >= 1 << 20);
        assert!(caps.clock_resolution_ns > 0.0);
        assert!(caps.compute.is_subset(&caps.storage));
        if caps.kind == DeviceKind::Cpu {
            assert!(caps.compute_units.is_some_and(|units| units > 0));
        }
        let memory = device.memory().expect("memory");
        assert_eq!(memory.total, caps.memory_bytes);
        println!("{info:#?}");
    });
}

#[test]
fn bytes_go_up_and_come_down() {
    on_every_device(|device| {
        let buffer = device.alloc(10).expect("alloc");
        device.upload(&buffer, 0, &[0; 10]).expect("upload");
        device.upload(&buffer, 3, &[1, 2, 3]).expect("upload at an odd offset");
        device.upload(&buffer, 10, &[]).expect("nothing at the end");
        assert_eq!(read(device, &buffer), [0, 0, 0, 1, 2, 3, 0, 0, 0, 0]);
        let mut part = [0; 2];
        device.download(&buffer, 4, &mut part).expect("download a part");
        assert_eq!(part, [2, 3]);
        assert!(matches!(device.upload(&buffer, 9, &[0; 2]), Err(Error::InvalidArgument(_))));
        assert!(matches!(device.download(&buffer, u64::MAX, &mut part), Err(Error::InvalidArgument(_))));
    });
}

#[test]
fn copies_and_fills_reach_every_byte() {
    on_every_device(|device| {
        let (a, b) = (device.alloc(11).expect("alloc"), device.alloc(16).expect("alloc"));
        let small = device.alloc(3).expect("alloc");
        let commands = [
            Command::Fill { dst: &a, pattern: 0x4433_2211 },
            Command::Fill { dst: &b, pattern: 0 },
            Command::Fill { dst: &small, pattern: 0x4433_2211 },
            Command::Copy { src: &a, src_offset: 4, dst: &b, dst_offset: 8, bytes: 4 },
            Command::Copy { src: &a, src_offset: 0, dst: &b, dst_offset: 0, bytes: 0 },
        ];
        device.wait(device.submit(&commands).expect("submit")).expect("wait");
        assert_eq!(read(device, &a), [0x11, 0x22, 0x33, 0x44, 0x11, 0x22, 0x33, 0x44, 0x11, 0x22, 0x33]);
        assert_eq!(read(device, &b), [0, 0, 0, 0, 0, 0, 0, 0, 0x11, 0x22, 0x33, 0x44, 0, 0, 0, 0]);
        assert_eq!(read(device, &small), [0x11, 0x22, 0x33]);
        let over = Command::Copy { src: &a, src_offset: 8, dst: &b, dst_offset: 0, bytes: 4 };
        assert!(matches!(device.submit(&[over]), Err(Error::InvalidArgument(_))));
    });
}

#[test]
fn launches_take_their_arguments_in_order_and_anew() {
    on_every_device(|device| {
        let kernel = device.compile(&spec(ADD, "add")).expect("compile");
        let (a, b) = (device.alloc(80).expect("alloc"), device.alloc(80).expect("alloc"));
        device.upload(&a, 0, &words(&[5; 20])).expect("upload");
        let (forward, backward) = ([&a, &b], [&b, &a]);
        let (one, two) = (words(&[20, 1]), words(&[20, 2]));
        let commands = [
            launch(&kernel, &forward, 2, &one),
            launch(&kernel, &forward, 2, &one),
            launch(&kernel, &forward, 2, &two),
            launch(&kernel, &backward, 2, &two),
        ];
        device.wait(device.submit(&commands).expect("submit")).expect("wait");
        assert_eq!(read(device, &a), words(&[9; 20]));
        assert_eq!(read(device, &b), words(&[7; 20]));
        // A new buffer in a freed one's place must not be taken for it.
        drop(b);
        let c = device.alloc(80).expect("alloc");
        device.wait(device.submit(&[launch(&kernel, &[&a, &c], 2, &one)]).expect("submit")).expect("wait");
        assert_eq!(read(device, &c), words(&[10; 20]));
    });
}

#[test]
fn mistakes_are_told_before_the_driver_sees_them() {
    on_every_device(|device| {
        let kernel = device.compile(&spec(ADD, "add")).expect("compile");
        let (a, b) = (device.alloc(64).expect("alloc"), device.alloc(64).expect("alloc"));
        let params = words(&[16, 1]);
        for command in [
            launch(&kernel, &[&a], 1, &params),
            launch(&kernel, &[&a, &b], 1, &params[..4]),
            launch(&kernel, &[&a, &b], 0, &params),
        ] {
            assert!(matches!(device.submit(&[command]), Err(Error::InvalidArgument(_))));
        }
        assert!(matches!(device.submit(&[Command::Begin]), Err(Error::InvalidArgument(_))));
        let too_far = u32::try_from(u64::from(device.caps().max_grid[0]) + 1).expect("below 2^32");
        let wide = device.submit(&[launch(&kernel, &[&a, &b], too_far, &params)]);
        assert!(matches!(wide, Err(Error::LimitExceeded { .. })));
        let huge = KernelSpec { group: [u32::MAX, 1, 1], ..spec(ADD, "add") };
        assert!(matches!(device.compile(&huge), Err(Error::LimitExceeded { .. })));
        assert!(matches!(device.alloc(0), Err(Error::InvalidArgument(_))));
    });
}

#[test]
fn another_devices_handles_are_refused() {
    on_every_device(|device| {
        let other = OpenClDriver.open(device.info().id.index).expect("open again");
        let (mine, foreign) = (device.alloc(64).expect("alloc"), other.alloc(64).expect("alloc"));
        let kernel = other.compile(&spec(ADD, "add")).expect("compile");
        let params = words(&[16, 1]);
        let refused = |error| matches!(error, Err(Error::ForeignHandle { .. }));
        assert!(refused(device.upload(&foreign, 0, &[1])));
        assert!(refused(device.submit(&[Command::Fill { dst: &foreign, pattern: 0 }]).map(drop)));
        assert!(refused(device.submit(&[launch(&kernel, &[&mine, &mine], 1, &params)]).map(drop)));
        let ticket = other.submit(&[]).expect("an empty submission");
        assert!(refused(device.wait(ticket).map(drop)));
    });
}

#[test]
fn the_compilers_words_are_kept() {
    on_every_device(|device| {
        let broken = "kernel void add(global uint *a) { a[0] = undeclared_name; }";
        match device.compile(&spec(broken, "add")) {
            Err(Error::Compile { entry, log }) => {
                assert_eq!(entry, "add");
                assert!(log.contains("undeclared_name"), "{log}");
            }
            other => panic!("expected a compile error, got {other:?}"),
        }
        assert!(matches!(device.compile(&spec(ADD, "subtract")), Err(Error::InvalidArgument(_))), "no such kernel");
        let fewer = KernelSpec { params_bytes: 0, ..spec(ADD, "add") };
        assert!(matches!(device.compile(&fewer), Err(Error::InvalidArgument(_))), "one parameter is not declared");
        let wgsl = KernelSpec { source: Source::Wgsl("".into()), ..spec(ADD, "add") };
        assert!(matches!(device.compile(&wgsl), Err(Error::Unsupported { .. })));
    });
}

#[test]
fn spans_cover_their_commands() {
    on_every_device(|device| {
        let kernel = device.compile(&spec(ADD, "add")).expect("compile");
        let bytes = 4 << 20;
        let (a, b) = (device.alloc(bytes).expect("alloc"), device.alloc(bytes).expect("alloc"));
        let groups = (bytes / 4 / 16) as u32;
        let params = words(&[groups * 16, 1]);
        let buffers = [&a, &b];
        let run = launch(&kernel, &buffers, groups, &params);
        let mut commands = vec![Command::Fill { dst: &a, pattern: 7 }, run.clone()];
        commands.extend([Command::Begin, run.clone(), Command::End, Command::Begin, Command::End, Command::Begin]);
        commands.extend(std::iter::repeat_n(run, 20));
        commands.push(Command::End);
        // What else the machine does may fall into one span, but not into that of one launch each time.
        let attempts: Vec<_> = (0..5)
            .map(|_| {
                let spans = device.wait(device.submit(&commands).expect("submit")).expect("wait");
                assert_eq!(spans.len(), 3);
                assert!(spans.iter().all(|span| span.clock == device.caps().clock));
                assert!(spans[0].ns > 0.0);
                assert!(spans[1].ns.abs() < f64::EPSILON, "an empty span took {} ns", spans[1].ns);
                [spans[0].ns, spans[2].ns]
            })
            .collect();
        let [one, twenty] = [0, 1].map(|span| attempts.iter().map(|attempt| attempt[span]).fold(f64::MAX, f64::min));
        assert!(twenty > 4.0 * one, "20 launches in {twenty} ns, one in {one} ns");
        assert_eq!(read(device, &b), words(&vec![8; groups as usize * 16]));
    });
}

#[test]
fn too_much_memory_is_an_answer_with_both_numbers() {
    on_every_device(|device| {
        match device.alloc(1 << 60) {
            Err(Error::LimitExceeded { asked, limit, .. }) => assert!(asked == 1 << 60 && limit < asked),
            Err(Error::OutOfMemory { asked, .. }) => assert_eq!(asked, 1 << 60),
            other => panic!("expected a refusal, got {other:?}"),
        }
        // Buffers that each are within the limit must not add up to more than there is, used or not.
        let mut held = Vec::new();
        let refusal = loop {
            match device.alloc(device.caps().max_buffer_bytes) {
                Ok(buffer) => held.push(buffer),
                Err(error) => break error,
            }
            assert!(held.len() < 1000, "memory without end");
        };
        assert!(matches!(refusal, Error::OutOfMemory { .. }), "{refusal}");
        drop(held);
        device.alloc(64).expect("what was freed can be had again");
    });
}

#[test]
fn a_missing_device_is_unavailable() {
    assert!(matches!(OpenClDriver.open(4_000_000), Err(Error::Unavailable { api: "opencl", .. })));
}

#[test]
fn page_locked_memory_is_an_end_of_copies() {
    on_every_device(|device| {
        let (from, to) = (device.alloc_pinned(12).expect("memory"), device.alloc_pinned(12).expect("memory"));
        let own = device.alloc(12).expect("memory");
        device.upload(&from, 0, &words(&[1, 2, 3])).expect("upload");
        let there = Command::Copy { src: &from, src_offset: 4, dst: &own, dst_offset: 0, bytes: 8 };
        let back = Command::Copy { src: &own, src_offset: 0, dst: &to, dst_offset: 4, bytes: 8 };
        let ticket = device.submit(&[Command::Begin, there, back, Command::End]).expect("submit");
        assert_eq!(device.wait(ticket).expect("wait").len(), 1);
        assert_eq!(read(device, &to)[4..], words(&[2, 3]));
        for command in [
            Command::Fill { dst: &from, pattern: 0 },
            Command::Copy { src: &from, src_offset: 0, dst: &to, dst_offset: 0, bytes: 4 },
        ] {
            assert!(matches!(device.submit(&[command]), Err(Error::InvalidArgument(_))));
        }
        assert!(matches!(device.alloc_pinned(0), Err(Error::InvalidArgument(_))));
    });
}

/// A convolution by a library, of which copying the windows takes far longer than the product with the one filter.
fn windows(library: &str) -> KernelSpec {
    let sizes = [("n", 1), ("c", 64), ("h", 112), ("w", 112), ("k", 1), ("r", 3), ("s", 3), ("groups", 1)];
    let steps = ["stride_h", "stride_w", "dilation_h", "dilation_w", "pad_h", "pad_w"].map(|name| (name, 1));
    let words = [("layout", "nchw"), ("storage", "f32"), ("accumulate", "f32")];
    let numbers = sizes.into_iter().chain(steps).map(|(name, value)| (name.to_owned(), Value::from(value)));
    let arguments = numbers.chain(words.map(|(name, value)| (name.to_owned(), Value::from(value)))).collect();
    KernelSpec {
        source: Source::Library(LibraryCall { library: library.to_owned(), function: "conv2d".to_owned(), arguments }),
        entry: "conv2d".to_owned(),
        defines: Vec::new(),
        group: [1, 1, 1],
        shared_bytes: 0,
        bindings: vec![Access::Read, Access::Read, Access::Write],
        params_bytes: 0,
    }
}

#[test]
fn a_library_s_span_covers_all_its_kernels_and_nothing_before_them() {
    on_every_device(|device| {
        let Some(library) = device.caps().libraries("conv2d").first() else {
            let required = std::env::var("ACCELBENCH_REQUIRE").unwrap_or_default();
            assert!(!required.contains("opencl:clblast"), "a library is required and was not found");
            return println!("left out: no library has conv2d");
        };
        let kernel = device.compile(&windows(library)).expect("compile");
        let [x, w, y] =
            [64 * 112 * 112 * 4, 64 * 9 * 4, 112 * 112 * 4].map(|bytes| device.alloc(bytes).expect("alloc"));
        let large = device.alloc(256 << 20).expect("alloc");
        for buffer in [&x, &w, &y, &large] {
            let fill = Command::Fill { dst: buffer, pattern: 0 };
            device.wait(device.submit(&[fill]).expect("submit")).expect("wait");
        }
        let buffers = [&x, &w, &y];
        let span = |runs: usize, before: Option<Command<'_>>| {
            let run = launch(&kernel, &buffers, 1, &[]);
            let mut commands: Vec<Command<'_>> = before.into_iter().collect();
            commands.push(Command::Begin);
            commands.extend(std::iter::repeat_n(run, runs));
            commands.push(Command::End);
            let wait = || device.wait(device.submit(&commands).expect("submit")).expect("wait")[0].ns;
            (0..5).map(|_| wait()).fold(f64::INFINITY, f64::min)
        };
        let (one, two) = (span(1, None), span(2, None));
        // Without its first kernels, one run would be the product alone, and two runs many times as long.
        assert!(two < 3.0 * one, "two runs took {two} ns, one {one} ns");
        let after = span(1, Some(Command::Fill { dst: &large, pattern: 1 }));
        assert!(after < 3.0 * one, "a run took {one} ns, and {after} ns after other work");
    });
}

#[test]
fn a_library_s_call_is_refused_where_it_does_not_fit() {
    on_every_device(|device| {
        let Some(library) = device.caps().libraries("conv2d").first() else { return };
        let with = |name: &str, value: Value| {
            let mut spec = windows(library);
            if let Source::Library(call) = &mut spec.source {
                call.arguments.insert(name.to_owned(), value);
            }
            device.compile(&spec)
        };
        for (name, value) in [("groups", Value::from(2)), ("layout", "nhwc".into()), ("storage", "f16".into())] {
            assert!(matches!(with(name, value), Err(Error::Unsupported { .. })), "{name}");
        }
        assert!(matches!(with("c", "many".into()), Err(Error::InvalidArgument(_))));
        let kernel = device.compile(&windows(library)).expect("compile");
        let small = device.alloc(64).expect("alloc");
        let buffers = [&small, &small, &small];
        let run = launch(&kernel, &buffers, 1, &[]);
        assert!(matches!(device.submit(&[run]).map(drop), Err(Error::InvalidArgument(_))));
    });
}
