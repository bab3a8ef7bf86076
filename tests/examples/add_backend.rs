//! A backend from outside: `naive` computes on the host, with three loops, and passes the conformance suite.
//!
//!     cargo run --example add_backend
//!
//! A backend is a [`Driver`], which finds devices, and a [`Device`]. This one has no compiler, so it speaks no kernel
//! language: it offers a function of a library, `gemm`, which plans then call.

use accelbench::App;
use accelbench_backends::{
    Buffer, Caps, Clock, Command, DType, Device, DeviceId, DeviceInfo, DeviceKind, DeviceToken, Driver, Error, Kernel,
    KernelSpec, Language, Launch, LibraryCall, Memory, PhysicalId, Presence, Registry, Result, Source, Span, Ticket,
    launch,
};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    accelbench_tests::conformance::main(app())
}

/// This backend alone; `Registry::builtin()` would have it beside the others.
pub(crate) fn app() -> App {
    let registry = || {
        let mut registry = Registry::default();
        registry.register(Box::new(Naive));
        registry
    };
    App { registry, ..App::builtin() }
}

struct Naive;

impl Driver for Naive {
    fn id(&self) -> &'static str {
        "naive"
    }

    fn probe(&self) -> Presence {
        Presence::Present { api_version: "1".into(), devices: vec![describe()], notes: Vec::new() }
    }

    fn open(&self, index: u32) -> Result<Box<dyn Device>> {
        if index > 0 {
            return Err(Error::Unavailable { api: "naive", reason: format!("there is no naive:{index}") });
        }
        Ok(Box::new(Loops {
            token: DeviceToken::new(),
            info: describe(),
            next: Cell::new(0),
            done: RefCell::default(),
        }))
    }
}

fn describe() -> DeviceInfo {
    let floats = BTreeSet::from([DType::F64, DType::F32]);
    DeviceInfo {
        id: DeviceId::new("naive", 0),
        name: "three loops".into(),
        vendor: "example".into(),
        driver: "none".into(),
        physical_id: PhysicalId::default(),
        caps: Caps {
            kind: DeviceKind::Cpu,
            languages: BTreeSet::from([Language::Library]),
            libraries: BTreeMap::from([("gemm".into(), vec!["naive".into()])]),
            library_forms: Vec::new(),
            external: BTreeMap::new(),
            storage: floats.clone(),
            compute: floats,
            subgroup: None,
            max_group_items: 1,
            max_group: [1, 1, 1],
            max_grid: [1, 1, 1],
            local_bytes: 0,
            max_buffer_bytes: 1 << 30,
            memory_bytes: None,
            cache_bytes: None,
            compute_units: Some(1),
            clock_mhz: None,
            clock: Clock::HostWall,
            clock_resolution_ns: 100.0,
            theoretical: Vec::new(),
            facts: BTreeMap::new(),
        },
    }
}

/// The device: all is done by the time that `submit` returns.
struct Loops {
    token: DeviceToken,
    info: DeviceInfo,
    next: Cell<u64>,
    done: RefCell<BTreeMap<u64, Vec<Span>>>,
}

/// What is behind a [`Buffer`].
type Bytes = RefCell<Vec<u8>>;

impl Device for Loops {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn alloc(&self, bytes: u64) -> Result<Buffer> {
        let limit = self.info.caps.max_buffer_bytes;
        match bytes {
            0 => Err(Error::invalid("a buffer of 0 bytes")),
            _ if bytes > limit => Err(Error::LimitExceeded { what: "a buffer", asked: bytes, limit }),
            _ => Ok(Buffer::new(self.token, bytes, RefCell::new(vec![0_u8; bytes as usize]))),
        }
    }

    fn upload(&self, dst: &Buffer, offset: u64, src: &[u8]) -> Result<()> {
        dst.check_range(offset, src.len() as u64)?;
        self.bytes(dst)?.borrow_mut()[offset as usize..][..src.len()].copy_from_slice(src);
        Ok(())
    }

    fn download(&self, src: &Buffer, offset: u64, dst: &mut [u8]) -> Result<()> {
        src.check_range(offset, dst.len() as u64)?;
        dst.copy_from_slice(&self.bytes(src)?.borrow()[offset as usize..][..dst.len()]);
        Ok(())
    }

    fn compile(&self, spec: &KernelSpec) -> Result<Kernel> {
        launch::check_spec(spec, &self.info.caps)?;
        match &spec.source {
            Source::Library(call) => Ok(Kernel::new(self.token, spec, String::new(), Gemm::prepare(call)?)),
            _ => Err(spec.wrong_language("naive")),
        }
    }

    fn submit(&self, commands: &[Command<'_>]) -> Result<Ticket> {
        launch::check(commands, self.token, &self.info.caps)?;
        let (mut begun, mut spans) = (Instant::now(), Vec::new());
        for command in commands {
            match command {
                Command::Launch(launch) => self.launch(launch)?,
                Command::Copy { src, src_offset, dst, dst_offset, bytes } => {
                    let from = self.bytes(src)?.borrow();
                    let from = &from[*src_offset as usize..][..*bytes as usize];
                    self.bytes(dst)?.borrow_mut()[*dst_offset as usize..][..from.len()].copy_from_slice(from);
                }
                Command::Fill { dst, pattern } => {
                    let pattern = pattern.to_le_bytes().into_iter().cycle();
                    self.bytes(dst)?.borrow_mut().iter_mut().zip(pattern).for_each(|(byte, fill)| *byte = fill);
                }
                Command::Begin => begun = Instant::now(),
                Command::End => spans.push(Span { ns: begun.elapsed().as_nanos() as f64, clock: Clock::HostWall }),
            }
        }
        let number = self.next.replace(self.next.get() + 1);
        self.done.borrow_mut().insert(number, spans);
        Ok(Ticket::new(self.token, number))
    }

    fn wait(&self, ticket: Ticket) -> Result<Vec<Span>> {
        let number = ticket.number(self.token)?;
        self.done.borrow_mut().remove(&number).ok_or_else(|| Error::invalid("this submission was waited for before"))
    }

    fn memory(&self) -> Result<Memory> {
        Ok(Memory::default())
    }
}

impl Loops {
    fn bytes<'a>(&self, buffer: &'a Buffer) -> Result<&'a Bytes> {
        buffer.inner(self.token)
    }

    fn launch(&self, launch: &Launch<'_>) -> Result<()> {
        let gemm: &Gemm = launch.kernel.inner(self.token)?;
        let &[a, b, c] = launch.buffers else { return Err(Error::invalid("gemm takes the buffers A, B and C")) };
        gemm.run(&self.bytes(a)?.borrow(), &self.bytes(b)?.borrow(), &mut self.bytes(c)?.borrow_mut())
    }
}

/// A prepared product.
struct Gemm {
    m: usize,
    n: usize,
    k: usize,
    trans_a: bool,
    trans_b: bool,
    single: bool,
}

impl Gemm {
    fn prepare(call: &LibraryCall) -> Result<Self> {
        let flag = |name: &str| call.arguments.get(name).is_some_and(|value| value == true);
        let single = match (call.text("storage")?, call.text("accumulate")?) {
            ("f32", "f32") => true,
            ("f64", "f64") => false,
            (storage, sums) => return Err(Error::unsupported(format!("{storage} with sums in {sums}"))),
        };
        let (m, n, k) = (call.size("m")?, call.size("n")?, call.size("k")?);
        Ok(Self { m, n, k, trans_a: flag("trans_a"), trans_b: flag("trans_b"), single })
    }

    fn run(&self, a: &[u8], b: &[u8], c: &mut [u8]) -> Result<()> {
        if self.single {
            self.product(a, b, c, |bytes| f32::from_le_bytes(bytes).into(), |sum| (sum as f32).to_le_bytes())
        } else {
            self.product(a, b, c, f64::from_le_bytes, f64::to_le_bytes)
        }
    }

    fn product<const SIZE: usize>(
        &self,
        a: &[u8],
        b: &[u8],
        c: &mut [u8],
        read: fn([u8; SIZE]) -> f64,
        write: fn(f64) -> [u8; SIZE],
    ) -> Result<()> {
        let (m, n, k) = (self.m, self.n, self.k);
        let (a, b, c) = (a.as_chunks().0, b.as_chunks().0, c.as_chunks_mut().0);
        if a.len() < m * k || b.len() < k * n || c.len() < m * n {
            return Err(Error::invalid("a buffer is smaller than its matrix"));
        }
        for row in 0..m {
            for column in 0..n {
                let a_at = |l| if self.trans_a { l * m + row } else { row * k + l };
                let b_at = |l| if self.trans_b { column * k + l } else { l * n + column };
                c[row * n + column] = write((0..k).map(|l| read(a[a_at(l)]) * read(b[b_at(l)])).sum());
            }
        }
        Ok(())
    }
}
